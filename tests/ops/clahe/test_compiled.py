"""The pipeline's form against OpenCV, where a size compiles once and batches differ."""

import numpy as np
import pytest
import tensorflow as tf

from tfpipe.ops import Clahe
from tfpipe.ops.clahe import compiled


def mapped(op, batches):
    """The batches through `Dataset.map`, whose batch size is unknown and image size known."""
    spec = tf.TensorSpec((None, *batches[0].shape[1:]), tf.uint8)
    dataset = tf.data.Dataset.from_generator(lambda: batches, output_signature=spec)
    return list(dataset.map(op.apply).as_numpy_iterator())


# Contracted products show only where the tile's size is not a power of two: 224 and 299.
@pytest.mark.parametrize("shape", [(224, 224), (299, 299), (93, 205)])
def test_batches_of_one_size(opencv, pictures, shape):
    random = np.random.default_rng(0)
    batches = [pictures(random, count, *shape) for count in (6, 2, 1)]
    batches.append(batches[0][:0])
    for images, found in zip(batches, mapped(Clahe(), batches), strict=True):
        expected = opencv(images) if len(images) else images
        np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("size_px", [256, 1024])
@pytest.mark.parametrize("tile_grid", [(8, 8), (7, 5)])
def test_large_images(opencv, pictures, size_px, tile_grid):
    images = pictures(np.random.default_rng(0), 5, size_px, size_px)
    (found,) = mapped(Clahe(3.0, tile_grid), [images])
    np.testing.assert_array_equal(found, opencv(images, 3.0, tile_grid))


@pytest.mark.slow
def test_xrays_of_the_commonest_sizes(opencv, xrays):
    """Each size is compiled, so not all of them; `test_forms` has every X-ray."""
    by_size = {}
    for image in xrays:
        by_size.setdefault(image.shape, []).append(image[..., None])
    for batch in sorted(by_size.values(), key=len)[-12:]:
        images = np.stack(batch)
        (found,) = mapped(Clahe(), [images])
        np.testing.assert_array_equal(found, opencv(images))


@pytest.mark.parametrize(("colour", "channels"), [("lab", 3), ("channels", 3)])
def test_colours(opencv, pictures, colour, channels):
    images = pictures(np.random.default_rng(1), 4, 61, 43, channels)
    (found,) = mapped(Clahe(colour=colour), [images])
    np.testing.assert_array_equal(found, opencv(images, colour=colour))


@pytest.mark.parametrize("most", [1, 3, 7, 8])
def test_a_few_images_at_a_time(opencv, pictures, monkeypatch, most):
    monkeypatch.setattr(compiled, "PIXELS", most * 40 * 50)
    images = pictures(np.random.default_rng(2), 7, 40, 50)
    found, none = mapped(Clahe(2.0, (3, 4)), [images, images[:0]])
    np.testing.assert_array_equal(found, opencv(images, 2.0, (3, 4)))
    assert none.shape == (0, 40, 50, 1)
