"""Drawn chests with several findings each, by patient: for a try-out without real data.

Example:

    source = lungs(seed=0)

Grey bodies with two dark lungs, ribs, a heart, and noise; a finding is a mark where it would be
seen. The pictures of a patient share the build and, mostly, the findings.
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

import tfpipe as tp
from pipelines.drawn.strokes import ellipse

FINDINGS = {  # and the share of the patients who have each
    "Cardiomegaly": 0.3,
    "Effusion": 0.3,
    "Mass": 0.25,
    "Nodule": 0.25,
    "Pneumothorax": 0.2,
    "Hernia": 0.08,
}
SIZE_PX = 96
LUNGS = (0.3, 0.7)  # their middles, as fractions of the width


def lungs(seed: int, *, num_patients: int = 320) -> tp.records.Source:
    """Two or three pictures of each patient: grey, 96x96, with multi-hot `labels`."""
    print("The chests are drawn: the scores say nothing of real ones.")
    features = {
        "image": tp.records.Feature("image", (SIZE_PX, SIZE_PX, 1)),
        "labels": tp.records.Feature("labels", (len(FINDINGS),)),
    }
    return tp.records.examples(
        list(_examples(seed, num_patients)),
        features,
        class_names=tuple(FINDINGS),
        split=(0.7, 0.2, 0.1),
        seed=seed,
        group=lambda example: example["id"].split("_")[0],
        name="drawn_lungs",
    )


def _examples(seed: int, num_patients: int) -> Iterator[dict[str, Any]]:
    for patient in range(num_patients):
        random = np.random.default_rng((seed, patient))
        build = random.uniform(0.85, 1.1, 3)
        has = random.random(len(FINDINGS)) < tuple(FINDINGS.values())
        for number in range(random.integers(2, 4)):
            shown = has & (random.random(len(has)) < 0.9)  # a finding comes and goes
            image = draw({n for n, on in zip(FINDINGS, shown, strict=True) if on}, build, random)
            name = f"{patient:05d}_{number:03d}"
            yield {"id": name, "image": image, "labels": shown.astype(int).tolist()}


def draw(findings: set[str], build: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """One picture, uint8 (96, 96, 1): the build is the lungs' width and height, and the heart's."""
    image = np.full((SIZE_PX, SIZE_PX), 115.0, np.float32)
    width, height, heart = build * (0.15, 0.33, 0.09)
    side = random.integers(2)  # of what is on one side only
    for middle in LUNGS:
        ellipse(image, (middle, 0.5), (width, height), 55)
    if "Pneumothorax" in findings:  # air outside the lung: black, and no ribs' shadow in it
        ellipse(image, (LUNGS[side], 0.4), (width, height * 0.7), 10)
        ellipse(image, (0.5 + 0.6 * (LUNGS[side] - 0.5), 0.48), (width, height), 55)
    for rib in np.arange(0.2, 0.85, 0.085):
        for middle in LUNGS:
            ellipse(image, (middle, rib + 0.1), (width, 0.1), 95, arc=True)
    size = heart * (1.9 if "Cardiomegaly" in findings else 1)
    ellipse(image, (0.54, 0.66), (size, 0.13), 160)
    if "Effusion" in findings:  # fluid: the lung's lower end is white
        ellipse(image, (LUNGS[side], 0.5 + height), (width * 1.2, random.uniform(0.13, 0.2)), 165)
    for name, radius in (("Mass", (0.055, 0.075)), ("Nodule", (0.022, 0.03))):
        if name in findings:
            place = LUNGS[random.integers(2)] + random.uniform(-0.06, 0.06)
            size = random.uniform(*radius)
            ellipse(image, (place, random.uniform(0.3, 0.6)), (size, size), 190)
    if "Hernia" in findings:  # a bubble behind the heart
        ellipse(image, (0.5, 0.8), (0.08, 0.07), 200)
        ellipse(image, (0.5, 0.8), (0.05, 0.04), 40)
    image = cv2.GaussianBlur(image, (0, 0), 0.8) * random.uniform(0.85, 1.15)
    image += random.normal(0, 6, image.shape)
    return image.clip(0, 255).round().astype(np.uint8)[..., None]
