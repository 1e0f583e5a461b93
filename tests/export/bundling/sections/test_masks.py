"""What the page shows of masks: overlaps, and masks painted over their images."""

import re

import numpy as np
import pytest

from tfpipe.export.bundling.sections import evidence
from tfpipe.export.bundling.sections.masks import COLOURS, painted
from tfpipe.export.scoring.overlaps import overlaps

RNG = np.random.default_rng(0)
NAMES = ["ground", "<crack>", "hole"]
IMAGES = RNG.integers(0, 256, (12, 8, 8, 1)).astype(np.uint8)
TRUTHS = RNG.integers(0, 3, (12, 8, 8, 1))
WRONG = np.arange(12)[:, None, None] * 5 > np.arange(64).reshape(8, 8)  # more in each example
MODEL = np.where(WRONG, (TRUTHS[..., 0] + 1) % 3, TRUTHS[..., 0])


@pytest.fixture
def looked_at(results_of):
    """From each one's masks to the results and the sections of the page."""

    def look(masks, images=IMAGES, truths=TRUTHS):
        results = results_of(images, truths, {who: np.eye(3)[mask] for who, mask in masks.items()})
        return results, dict(evidence("mask", results, NAMES))

    return look


def captions(section):
    return re.findall("<figcaption>(.*?)</figcaption>", section)


def test_a_table_of_all_files(looked_at):
    results, sections = looked_at({"model": MODEL, "f": TRUTHS[..., 0]})
    cells = re.findall("<td[^>]*>(.*?)</td>", sections["Classes"])
    first = str(overlaps(results.answers["model"].rows)[0])
    assert cells[:4] == ["ground", first, "1.0000 (1.000 to 1.000)", "&lt;crack&gt;"]


def test_from_the_worst_to_the_best(looked_at):
    _, sections = looked_at({"model": MODEL})
    section = sections["From the worst to the best"]
    found = captions(section)
    places = [int(place) for line in found for place in re.findall("^example (.*)", line)]
    assert places == [11, 9, 8, 6, 5, 3, 2, 0]
    assert len(found) == 24
    assert found[-1] == "model<br>&lt;crack&gt;: 1.000<br>hole: 1.000"
    share = np.mean(TRUTHS[0] == 1)
    assert found[-2].startswith(f"label: &lt;crack&gt;, {share:.4f} of the pixels")
    assert '<span style="background: #e69f00; padding: 0 .75em"></span> &lt;crack&gt;' in section
    assert "Where a file leaves the model" not in sections  # there is no file


def test_where_a_file_leaves_the_model(looked_at):
    other = MODEL.copy()
    other[7, :2], other[3, 0] = (other[7, :2] + 1) % 3, (other[3, 0] + 1) % 3
    _, sections = looked_at({"model": MODEL, "same": MODEL, "f": other})
    found = captions(sections["Where a file leaves the model"])
    assert [line.split("<br>")[0] for line in found] == [
        "example 7", "model", "same", "f", "example 3", "model", "same", "f",
    ]  # fmt: skip
    _, sections = looked_at({"model": MODEL, "same": MODEL})
    nowhere = "<p>Nowhere: every pixel of every mask is the model's.</p>"
    assert sections["Where a file leaves the model"] == nowhere


def test_an_overlap_below_a_half_is_marked(looked_at):
    _, sections = looked_at({"model": MODEL})
    worst = captions(sections["From the worst to the best"])[2]
    found = {
        name: np.sum((MODEL[11] == place) & (TRUTHS[11, ..., 0] == place))
        / np.sum((MODEL[11] == place) | (TRUTHS[11, ..., 0] == place))
        for place, name in ((1, "&lt;crack&gt;"), (2, "hole"))
    }
    wrong = [f'<span class="wrong">✗ {name}: {iou:.3f}</span>' for name, iou in found.items()]
    assert worst == "<br>".join(["model", *wrong])


def test_empty_masks_and_ignored_pixels_are_said_and_not_scored(looked_at):
    truths = np.zeros_like(TRUTHS)
    truths[:, 0] = -1
    model = np.zeros_like(MODEL)
    model[:, 0] = 2  # where nothing is asked
    results, sections = looked_at({"model": model}, truths=truths)
    assert overlaps(results.answers["model"].rows)[0].iou == 1
    found = captions(sections["From the worst to the best"])
    assert found[1:3] == ["label: ground", "model<br>ground, rightly"]


def test_without_pictures_there_is_the_table_alone(looked_at):
    _, sections = looked_at({"model": MODEL}, images=IMAGES.astype(np.float32))
    assert list(sections) == ["Classes"]


@pytest.mark.parametrize("channels", [1, 3])
def test_colours_lines_and_what_is_ignored(channels):
    image, mask, truth = (
        np.full((5, 7, channels), 100, np.uint8),
        np.zeros((5, 7)),
        np.zeros((5, 7)),
    )
    mask[2, 2], truth[2, 2], truth[:, 6] = 1, 1, -1
    done = painted(image, mask.astype(int), truth.astype(int))
    assert (done.shape, done.dtype) == ((5, 7, 3), np.uint8)
    assert done[0, 0].tolist() == [100] * 3  # class 0
    assert done[2, 2].tolist() == [(100 + part) // 2 for part in bytes.fromhex(COLOURS[0])]
    for y, x in ((1, 2), (3, 2), (2, 1), (2, 3)):  # around the label
        assert done[y, x].tolist() == [255] * 3
    assert done[0, 6].tolist() == [30] * 3
