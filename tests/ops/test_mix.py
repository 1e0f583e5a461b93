"""MixUp and CutMix: labels are mixed as pixels are, in the proportions of the Beta distribution."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tfpipe import ops
from tfpipe.errors import RequestError
from tfpipe.ops.mix import _beta, _partners

COUNT = 6
KEYS = np.array([f"0/0/{number}" for number in range(COUNT)])


def batch(dtype, count=COUNT, side=32):
    """Image n is white in channel n alone, so that its channels' means are its labels."""
    white = 1 if dtype == np.float32 else 255
    images = np.zeros((count, side, side, count), dtype)
    for n in range(count):
        images[n, ..., n] = white
    keys = [f"0/0/{number}" for number in range(count)]
    return {"image": images, "label": np.arange(count), "key": keys, "id": keys}, white


@pytest.mark.parametrize(
    ("op", "dtype"), [(ops.MixUp(COUNT), np.float32), (ops.CutMix(COUNT), np.uint8)]
)
def test_labels_are_mixed_as_pixels_are(op, dtype):
    example, white = batch(dtype)
    found = op(example)
    assert found["image"].dtype == dtype
    assert found["labels"].dtype == tf.float32
    assert "label" not in found
    shares = found["image"].numpy().astype(float).mean((1, 2)) / white
    np.testing.assert_allclose(found["labels"], shares, atol=1e-6)
    np.testing.assert_allclose(found["labels"].numpy().sum(1), 1, atol=1e-6)
    assert (np.count_nonzero(found["labels"].numpy() > 1e-6, axis=1) == 2).sum() >= 3


def test_mixup_is_a_weighted_mean_of_two_images():
    example, _ = batch(np.float32)
    images = np.random.default_rng(0).random(example["image"].shape, np.float32)
    found = ops.MixUp(COUNT)({**example, "image": images})
    for n in range(COUNT):
        expected = np.tensordot(found["labels"][n], images, 1)
        np.testing.assert_allclose(found["image"][n], expected, atol=1e-6)


def test_cutmix_puts_one_rectangle_of_another_image():
    example, _ = batch(np.uint8)
    images = np.random.default_rng(0).integers(0, 256, example["image"].shape, np.uint8)
    found = ops.CutMix(COUNT)({**example, "image": images})["image"].numpy()
    partner = _partners(tf.constant(KEYS)).numpy()
    for n in range(COUNT):
        changed = (found[n] != images[n]).any(axis=-1)
        rows, columns = changed.any(axis=1), changed.any(axis=0)
        inside = np.outer(rows, columns)
        assert (np.diff(np.flatnonzero(rows)) == 1).all()
        assert (np.diff(np.flatnonzero(columns)) == 1).all()
        expected = np.where(inside[..., None], images[partner[n]], images[n])
        np.testing.assert_array_equal(found[n], expected)


def test_rectangles_are_anywhere():
    keys = [f"0/0/{number}" for number in range(300)]
    images = np.zeros((300, 40, 40, 1), np.uint8)
    found, _ = ops.CutMix(2).mix(images, images + 1, tf.constant(keys))
    found = found.numpy()[found.numpy().any((1, 2, 3)), ..., 0]
    middle = [(found.any(axis) * np.arange(40)).sum(1) / found.any(axis).sum(1) for axis in (1, 2)]
    assert np.abs(np.mean(middle, axis=1) - 19.5).max() < 1.5
    assert abs(np.corrcoef(middle)[0, 1]) < 0.2


def test_a_rectangle_has_the_share_of_the_area_that_was_drawn():
    """Yun et al., section 3.1; those that reach beyond the image are cut off, and left out here."""
    keys = tf.constant([f"0/0/{number}" for number in range(300)])
    images = np.zeros((300, 100, 100, 1), np.uint8)
    found = ops.CutMix(2).mix(images, images + 1, keys)[0].numpy()[..., 0]
    edges = found[:, [0, -1]].any((1, 2)) | found[:, :, [0, -1]].any((1, 2))
    whole = ~edges & found.any((1, 2))
    assert whole.sum() > 30
    drawn = 1 - _beta(keys, 1, 1.0).numpy()[whole]
    np.testing.assert_allclose(np.sqrt(found[whole].mean((1, 2))), np.sqrt(drawn), atol=0.011)


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1, 5])
def test_proportions_follow_the_beta_distribution(alpha):
    values = _beta(tf.constant([str(n) for n in range(4000)]), 1, alpha).numpy()
    inner = values[(values > 1e-8) & (values < 1 - 1e-8)]
    assert stats.kstest(values, stats.beta(alpha, alpha).cdf).pvalue > 0.001 or alpha < 0.2
    assert abs(values.mean() - 0.5) < 0.03
    assert values.var() == pytest.approx(stats.beta(alpha, alpha).var(), rel=0.08)
    assert len(inner) > 500


def test_everybody_is_partner_once_and_nobody_s_own():
    for count in (2, 3, 50):
        keys = tf.constant([f"1/2/{number}" for number in range(count)])
        partner = _partners(keys).numpy()
        assert sorted(partner) == list(range(count))
        assert (partner != np.arange(count)).all()


def test_a_batch_of_one_stays_as_it_is():
    example, _ = batch(np.float32, count=1)
    found = ops.MixUp(2)(example)
    np.testing.assert_array_equal(found["image"], example["image"])
    np.testing.assert_array_equal(found["labels"], [[1, 0]])


def test_multi_hot_labels_stay_and_are_mixed():
    example, _ = batch(np.uint8)
    labels = np.eye(COUNT, dtype=np.int64) + np.eye(COUNT, k=1, dtype=np.int64)
    del example["label"]
    found = ops.CutMix()({**example, "labels": labels})["labels"].numpy()
    with_classes = ops.CutMix(COUNT)({**example, "label": np.arange(COUNT)})["labels"].numpy()
    np.testing.assert_allclose(found, with_classes @ labels, atol=1e-6)


def test_both_can_follow_each_other():
    example, _ = batch(np.uint8)
    chain = ops.Chain([ops.CutMix(COUNT), ops.ToFloat(), ops.MixUp()])
    found = chain(example)
    shares = found["image"].numpy().astype(float).mean((1, 2))
    np.testing.assert_allclose(found["labels"], shares, atol=1e-5)


def test_what_they_give_trains_with_categorical_cross_entropy():
    import keras

    example, _ = batch(np.float32)
    found = ops.MixUp(COUNT)(example)
    model = keras.Sequential(
        [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(COUNT, activation="softmax")]
    )
    model.compile("sgd", keras.losses.CategoricalCrossentropy())
    assert np.isfinite(model.train_on_batch(found["image"], found["labels"]))


def test_what_is_mixed_must_be_labels():
    example, _ = batch(np.float32)
    with pytest.raises(RequestError) as caught:
        ops.MixUp()(example)
    assert str(caught.value) == (
        "MixUp() makes one number per class of each integer label. Say how many classes there "
        "are: `num_classes=manifest.num_classes`."
    )
    mask = np.zeros((COUNT, 32, 32, 1), np.int32)
    with pytest.raises(RequestError) as caught:
        ops.MixUp(COUNT)({**example, "mask": mask})
    assert str(caught.value) == ("MixUp(num_classes=6) mixes `label` or `labels`. Received: 'mask'")
    del example["label"], example["id"]
    with pytest.raises(RequestError) as caught:
        ops.MixUp(COUNT)(example)
    assert str(caught.value) == "MixUp(num_classes=6) mixes `label` or `labels`. Received: neither"


def test_a_label_that_there_is_not_is_refused():
    example, _ = batch(np.float32, count=2)
    with pytest.raises(RequestError) as caught:
        ops.MixUp(2)({**example, "label": [0, 2]})
    assert str(caught.value) == (
        "MixUp(num_classes=2) expected labels from 0 to 1. Received: [0, 2]"
    )
    dataset = tf.data.Dataset.from_tensors({**example, "label": [0, 2]}).map(ops.MixUp(2))
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected labels from 0 to 1"):
        next(iter(dataset))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"num_classes": 1},
            "Expected `num_classes` to be a whole number from 2, or None for `labels`. "
            "Received: num_classes=1",
        ),
        ({"alpha": 0.0}, "Expected `alpha` to be from 0.05 to 100. Received: alpha=0.0"),
    ],
)
def test_other_arguments_are_refused(arguments, sentence):
    with pytest.raises(RequestError) as caught:
        ops.CutMix(**arguments)
    assert str(caught.value) == sentence
