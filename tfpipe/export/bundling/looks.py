"""What a classifier of images looks at, as a picture for a bundle's notes.

Example:

    notes = {"What the model looks at": looks_at(model, manifest, prepare, split="val")}
"""

import numpy as np

from tfpipe.backend import keras
from tfpipe.models import grad_cam
from tfpipe.ops import Chain
from tfpipe.records import Manifest, read
from tfpipe.report import heatmaps

BATCH_SIZE = 16


def looks_at(
    model: keras.Model,
    manifest: Manifest,
    prepare: Chain,
    *,
    split: str = "test",
    most: int = 12,
) -> bytes:
    """Images of a split beside themselves under Grad-CAM's heat for the model's answer.

    Wrong answers come first, then right ones, of every class in turn.

    Args:
        model: a classifier, as `models.grad_cam` takes it.
        manifest: what `records.write` or `records.load` returned, with one `label` per image.
        prepare: the chain that the model was trained with.
        split: the split that the images are of.
        most: how many are shown.

    Returns:
        PNG bytes.

    Raises:
        RequestError: no such split, or a model that has no heat maps.
        DataError: the records are damaged.

    Example:

    >>> looks_at(model, manifest, prepare, most=2)[:4]
    b'\\x89PNG'
    """
    batches = read(manifest, split, prepare.outside(), batch_size=BATCH_SIZE).as_numpy_iterator()
    images, labels = map(np.concatenate, zip(*batches, strict=True))
    inputs = np.asarray(prepare.inside()({"image": images})["image"])
    answers, scores = _answers(model.predict(inputs, batch_size=BATCH_SIZE, verbose=0))
    shown = _shown(labels, answers)[:most]
    parts = [shown[start : start + BATCH_SIZE] for start in range(0, len(shown), BATCH_SIZE)]
    heats = np.concatenate([grad_cam(model, inputs[part], answers[part]) for part in parts])
    names = manifest.class_names
    captions = [
        f"{names[answers[n]]}: {scores[n]:.2f}"
        + (f", label {names[labels[n]]}" if answers[n] != labels[n] else "")
        for n in shown
    ]
    return heatmaps(images[shown], heats, captions, wrong=list(answers[shown] != labels[shown]))


def _answers(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each image's class, and its probability; one unit stands for class 1."""
    both = np.concatenate([1 - scores, scores], -1) if scores.shape[-1] == 1 else scores
    return both.argmax(-1), both.max(-1)


def _shown(labels: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """The places of wrong answers, then of right ones, of every class in turn."""
    turn = np.empty_like(labels)
    for label in np.unique(labels):
        of_class = labels == label
        turn[of_class] = np.arange(of_class.sum())
    return np.lexsort((labels, turn, answers == labels))
