"""The op and the function: what they take, what they refuse, and that sizes need not be known."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tfpipe import ops
from tfpipe.errors import RequestError
from tfpipe.ops import Chain, Clahe, Resize, ToFloat, clahe

GREY = tf.zeros((4, 5, 1), tf.uint8)


def sentence(call, *arguments, **named):
    with pytest.raises(RequestError) as caught:
        call(*arguments, **named)
    return str(caught.value)


def mapped(dataset, function):
    """Without AutoGraph, which wraps what is raised in an error of its own."""
    return dataset.map(tf.autograph.experimental.do_not_convert(function))


def of_shape(*shape):
    return tf.zeros(shape, tf.uint8)


def test_one_image_or_a_batch_eagerly(opencv, pictures):
    images = pictures(np.random.default_rng(0), 3, 50, 41)
    expected = opencv(images, 3.0, (5, 4))
    np.testing.assert_array_equal(clahe(images, 3.0, tile_grid=(5, 4)), expected)
    op = Clahe(3.0, (5, 4))
    np.testing.assert_array_equal(op({"image": images})["image"], expected)
    np.testing.assert_array_equal(op({"image": images[1]})["image"], expected[1])


@pytest.mark.parametrize("size", [(50, 41), (64, 64)])
def test_through_opencv_in_a_pipeline(opencv, pictures, size):
    images = pictures(np.random.default_rng(0), 8, *size)
    op = Clahe(3.0, (5, 4), backend="opencv")
    dataset = tf.data.Dataset.from_tensor_slices(images).batch(4)
    mapped = dataset.map(op.apply, num_parallel_calls=2)
    assert mapped.element_spec.shape == (None, *size, 1)
    np.testing.assert_array_equal(np.concatenate(list(mapped)), opencv(images, 3.0, (5, 4)))
    assert op.apply(images[:0]).shape == (0, *size, 1)


def test_another_backend_is_refused():
    assert sentence(Clahe, backend="cv2") == (
        "Expected `backend` to be one of 'tensorflow', 'opencv'. Received: backend='cv2'"
    )


@pytest.mark.parametrize(("colour", "channels"), [("lab", 3), ("channels", 3), ("channels", 2)])
def test_colours(opencv, pictures, colour, channels):
    images = pictures(np.random.default_rng(0), 3, 50, 41, channels)
    np.testing.assert_array_equal(clahe(images, colour=colour), opencv(images, colour=colour))


@pytest.mark.parametrize("backend", ["tensorflow", "opencv"])
@pytest.mark.parametrize(("colour", "channels"), [(None, 1), ("lab", 3), ("channels", 3)])
def test_images_of_unknown_sizes_before_a_resize(opencv, pictures, colour, channels, backend):
    random = np.random.default_rng(0)
    shapes = [(50, 41), (1, 1), (224, 199), (7, 64)]
    images = [pictures(random, 1, *shape, channels)[0] for shape in shapes]
    spec = tf.TensorSpec((None, None, channels), tf.uint8)
    dataset = tf.data.Dataset.from_generator(lambda: images, output_signature=spec)
    op = Clahe(colour=colour, backend=backend)
    mapped = dataset.map(lambda image: op({"image": image})["image"])
    for image, found in zip(images, mapped, strict=True):
        np.testing.assert_array_equal(found, opencv(image[None], colour=colour)[0])
    chain = Chain([op, Resize((8, 8)), ToFloat()])
    small = dataset.map(lambda image: chain({"image": image})["image"])
    assert small.element_spec.shape == (8, 8, channels)
    assert len(list(small)) == 4


def test_an_empty_batch_comes_back_empty():
    for runtime in ("saved_model", "tflite", "onnx"):
        assert Clahe().lower(of_shape(0, 9, 7, 1), runtime).shape == (0, 9, 7, 1)
    assert clahe(of_shape(0, 9, 7, 1)).shape == (0, 9, 7, 1)
    assert clahe(of_shape(0, 9, 7, 3), colour="lab").shape == (0, 9, 7, 3)
    assert clahe(of_shape(0, 9, 7, 3), colour="channels").shape == (0, 9, 7, 3)


def test_shapes_stay_known():
    for shape in ((None, 9, 7, 1), (2, None, None, 1), (None, None, 1)):
        traced = tf.function(clahe).get_concrete_function(tf.TensorSpec(shape, tf.uint8))
        assert traced.output_shapes.as_list() == list(shape)


def test_the_op_prints_as_code_and_compares():
    assert (
        repr(Clahe(3.0, (4, 4), "lab")) == "Clahe(clip_limit=3.0, tile_grid=(4, 4), colour='lab')"
    )
    assert eval(repr(Clahe()), vars(ops)) == Clahe() != Clahe(3.0)
    assert len({Clahe(), Clahe(), Clahe(2.0, (4, 8))}) == 2


def test_it_comes_before_to_float():
    assert sentence(Chain, [ToFloat(), Clahe()]).endswith("from ToFloat(); change the order.")
    assert Chain([Clahe(), ToFloat()]).inside().ops[0] == Clahe()


@pytest.mark.parametrize("limit", [float("nan"), float("inf"), None, "2"])
def test_other_limits_are_refused(limit):
    assert sentence(Clahe, limit) == (
        "Expected `clip_limit` to be a number, 0 or less for no clipping. "
        f"Received: clip_limit={limit!r}"
    )


@pytest.mark.parametrize("grid", [(0, 8), (8, -1), (8,), (8, 8, 8), (2.5, 8), 8])
def test_other_grids_are_refused(grid):
    assert sentence(clahe, GREY, tile_grid=grid) == (
        "Expected `tile_grid` to be (columns, rows), 1 or more of each. "
        f"Received: tile_grid={grid!r}"
    )


def test_other_colours_and_runtimes_are_refused():
    assert sentence(Clahe, colour="luv") == (
        "Expected `colour` to be one of 'lab', 'channels'. Received: colour='luv'"
    )
    assert sentence(Clahe().lower, GREY, "tflight") == (
        "Expected `runtime` to be one of 'saved_model', 'tflite', 'onnx'. "
        "Received: runtime='tflight'. Did you mean 'tflite'?"
    )


REFUSED = [
    ((4, 5), {}, "Expected `images` to be (H, W, C) or (B, H, W, C). Received: shape=(4, 5)"),
    (
        (1, 2, 4, 5, 1),
        {},
        "Expected `images` to be (H, W, C) or (B, H, W, C). Received: shape=(1, 2, 4, 5, 1)",
    ),
    ((0, 5, 1), {}, "Expected `images` of at least one pixel. Received: shape=(0, 5, 1)"),
    ((2, 4, 0, 1), {}, "Expected `images` of at least one pixel. Received: shape=(2, 4, 0, 1)"),
    (
        (4, 5, 3),
        {},
        "Expected `colour` to be 'lab' or 'channels' for 3 channels. Received: colour=None",
    ),
    ((4, 5, 4), {}, "Expected `colour` to be 'channels' for 4 channels. Received: colour=None"),
    (
        (4, 5, 1),
        {"colour": "lab"},
        "Expected 3 channels for `colour='lab'`. Received: channels=1",
    ),
]


@pytest.mark.parametrize(("shape", "named", "expected"), REFUSED)
def test_images_that_are_refused_eagerly_and_in_a_map(shape, named, expected):
    assert sentence(clahe, of_shape(*shape), **named) == expected
    for runtime in ("saved_model", "tflite", "onnx"):
        assert sentence(Clahe(**named).lower, of_shape(*shape), runtime) == expected
    dataset = tf.data.Dataset.from_tensors(of_shape(*shape))
    assert sentence(mapped, dataset, lambda image: clahe(image, **named)) == expected


def test_another_dtype_is_refused():
    assert sentence(clahe, tf.zeros((4, 5, 1))) == (
        "Expected `images` to be uint8, 0 to 255. Received: dtype='float32'"
    )
    assert sentence(Clahe(), {"image": tf.zeros((4, 5, 1))}) == (
        "Clahe() expected uint8 images, 0 to 255. Received: float32 images."
    )


@pytest.mark.parametrize("shape", [None, (None, None, None)])
def test_channels_must_be_known(shape):
    traced = tf.function(clahe, autograph=False).get_concrete_function
    assert sentence(traced, tf.TensorSpec(shape, tf.uint8)) == (
        "Expected `images` with a known rank and number of channels; tf.ensure_shape states them. "
        f"Received: shape={tf.TensorShape(shape)}"
    )


def test_a_size_of_zero_that_shows_only_at_run_time():
    spec = tf.TensorSpec((None, None, 1), tf.uint8)
    dataset = tf.data.Dataset.from_generator(
        lambda: [np.zeros((0, 5, 1), np.uint8)], output_signature=spec
    )
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r"Expected `images` of at least one pixel\. Received: a height or width of 0",
    ):
        list(dataset.map(clahe))


def test_what_json_makes_of_the_arguments_does():
    arguments = json.loads('{"clip_limit": 2, "tile_grid": [8, 8], "colour": null}')
    assert Clahe(**arguments) == Clahe()
    assert hash(Clahe(**arguments)) == hash(Clahe())
