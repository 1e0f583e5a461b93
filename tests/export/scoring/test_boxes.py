"""Average precision against pycocotools' own sum, on all images and on resamples of them."""

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tfpipe.errors import RequestError
from tfpipe.export.scoring import boxes
from tfpipe.models.detections import detections

NUM_CLASSES = 3


def drawn(seed, images=6, steps=None):
    """Targets, and outputs that know some of them; `steps`: scores as coarse as int8's."""
    rng = np.random.default_rng(seed)
    targets = np.full((images, 5, 5), -1.0)
    outputs = np.zeros((images, 30, 4 + NUM_CLASSES))
    for image in range(images):
        number = rng.integers(0, 6)
        corners = rng.uniform(0, 0.6, (5, 2))
        truths = np.concatenate([corners, corners + rng.uniform(0.1, 0.4, (5, 2))], 1)
        labels = rng.integers(0, NUM_CLASSES, 5)
        targets[image, :number] = np.concatenate([truths, labels[:, None]], 1)[:number]
        places = rng.integers(0, 5, 30)
        outputs[image, :, :4] = truths[places] + rng.normal(0, 0.02, (30, 4))
        scores = rng.uniform(0, 0.6, (30, NUM_CLASSES))
        scores[np.arange(30), labels[places]] += 0.3
        outputs[image, :, 4:] = scores if steps is None else np.round(scores * steps) / steps
    return outputs.astype("float32"), targets.astype("float32")


def as_coco(rows):
    """Pixels of an image of 640x480, as anybody would write such a file."""
    made = COCO()
    made.dataset = {
        "images": [{"id": place + 1} for place in range(len(rows))],
        "categories": [{"id": place + 10} for place in range(NUM_CLASSES)],
        "annotations": [],
    }
    for place, image in enumerate(rows):
        for y1, x1, y2, x2, label, *score in image[image[:, 4] >= 0].tolist():
            box = [x1 * 640, y1 * 480, (x2 - x1) * 640, (y2 - y1) * 480]
            one = {"image_id": place + 1, "category_id": int(label) + 10, "bbox": box}
            one |= {"id": len(made.dataset["annotations"]) + 1, "area": box[2] * box[3]}
            one |= {"iscrowd": 0, **({"score": score[0]} if score else {})}
            made.dataset["annotations"].append(one)
    made.createIndex()
    return made


def by_coco(given, targets):
    """(10, classes) as COCO's own evaluation adds it up; nan where a class has no box."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(as_coco(targets), as_coco(given), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    return np.where(precision.min(1) < 0, np.nan, precision.mean(1))


# Of equal scores COCO takes the first image first. An image that is in a sample twice comes twice
# there, and here once with twice the weight: that differs where scores in one image are equal.
SAMPLES = {"all": [0, 1, 2, 3, 4, 5], "some": [0, 2, 3], "one": [2]}
REPEATED = {"drawn": [0, 0, 1, 3, 3, 3], "drawn again": [1, 1, 2, 4, 5, 5]}


@pytest.mark.parametrize(("steps", "samples"), [(None, SAMPLES | REPEATED), (16, SAMPLES)])
def test_it_is_cocos_on_all_images_and_on_resamples(steps, samples):
    outputs, targets = drawn(0, steps=steps)
    rows = boxes.box_rows(outputs, targets)
    given = detections(outputs, score=0.001)
    counts = np.stack([np.bincount(sample, minlength=6) for sample in samples.values()])
    found = boxes.average_precisions(rows, counts)
    for sample, precisions in zip(samples.values(), found, strict=True):
        expected = by_coco(given[sample], targets[sample])
        np.testing.assert_allclose(precisions, expected, atol=1e-9)
    assert 0.1 < found[0, 0].min() < found[0, 0].max() < 0.95  # neither nothing nor everything
    means = boxes.mean_precision_50(rows, counts)
    np.testing.assert_allclose(means, np.nanmean(found[:, 0], axis=1))


def test_batches_give_the_rows_of_the_whole():
    """Targets of another width, too: batches are padded to their largest number of boxes."""
    outputs, targets = drawn(2)
    whole = boxes.box_rows(outputs, targets)
    wider = np.pad(targets[3:], [(0, 0), (0, 2), (0, 0)], constant_values=-1)
    parts = [boxes.box_rows(outputs[:3], targets[:3]), boxes.box_rows(outputs[3:], wider)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_by_hand():
    """Two boxes; the first answer is right, the second is not, the third is: 1, then 2 of 3."""
    targets = np.array([[[0, 0, 0.2, 0.2, 0], [0.5, 0.5, 0.9, 0.9, 0]]], np.float32)
    outputs = np.array(
        [[[0, 0, 0.2, 0.2, 0.9], [0.2, 0.6, 0.4, 0.9, 0.8], [0.5, 0.5, 0.9, 0.9, 0.7]]], np.float32
    )
    rows = boxes.box_rows(outputs, targets)
    # 51 of the 101 recalls are up to a half.
    expected = (51 * 1 + 50 * 2 / 3) / 101
    assert boxes.average_precisions(rows, np.ones((1, 1))) == pytest.approx(expected)
    both = f"mAP@50-95 {expected:.4f}; AP@50: {{}} {expected:.4f}."
    assert boxes.in_words(rows) == both.format("class 0")
    assert boxes.in_words(rows, ("red cell",)) == both.format("red cell")


def test_agreement_is_what_both_share():
    outputs, _ = drawn(3)
    np.testing.assert_array_equal(boxes.agreement(outputs, outputs), 1)
    silent = outputs * [1, 1, 1, 1, 0, 0, 0]
    assert not boxes.agreement(outputs, silent).any()
    assert not boxes.agreement(silent, outputs).any()
    np.testing.assert_array_equal(boxes.agreement(silent, silent), 1)
    one = np.array([[[0, 0, 0.2, 0.2, 0.9, 0], [0.5, 0.5, 0.9, 0.9, 0.8, 0]]], np.float32)
    moved, named, fewer = one.copy(), one.copy(), one.copy()
    moved[0, 1, :4] += 0.3  # 0.1 / 0.31 of both together: another box
    named[0, 1, 4:] = [0, 0.8]  # another class
    fewer[0, 1, 4:] = 0
    assert boxes.agreement(moved, one).tolist() == [0.5]
    assert boxes.agreement(named, one).tolist() == [0.5]
    assert boxes.agreement(fewer, one).tolist() == boxes.agreement(one, fewer).tolist()
    assert boxes.agreement(fewer, one).tolist() == [pytest.approx(2 / 3)]


def test_nothing_found_and_nothing_to_find():
    outputs, targets = drawn(4)
    rows = boxes.box_rows(outputs * [1, 1, 1, 1, 0, 0, 0], targets)
    assert boxes.mean_precision_50(rows, np.ones((1, 6))).tolist() == [0]
    rows = boxes.box_rows(outputs, np.full((6, 0, 5), -1, np.float32))
    assert np.isnan(boxes.mean_precision_50(rows, np.ones((1, 6)))).all()


def test_a_class_that_the_model_does_not_have_is_refused():
    outputs, targets = drawn(5)
    targets[0, 0, 4] = 3
    with pytest.raises(RequestError) as caught:
        boxes.box_rows(outputs, targets)
    assert str(caught.value) == (
        "Expected boxes of the classes 0 to 2, as the model has 3 classes. Received: 3"
    )
