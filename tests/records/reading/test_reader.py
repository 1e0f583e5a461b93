"""`records.read`: what comes out, against TensorFlow Datasets and Pillow; chains; two devices."""

import io

import cv2
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image, ImageOps

from tests.records.reading.small import pictures, read, rows
from tfpipe import ops, records
from tfpipe.errors import RequestError

Feature = records.Feature
# What is read


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("cache", [False, True])
@pytest.mark.parametrize("seed", [None, 3])
def test_tensorflow_datasets_reads_the_same(manifest, split, cache, seed):
    independent = tfds.builder_from_directory(manifest.path).as_dataset(split=split)
    expected = [(e["image"].tobytes(), int(e["label"])) for e in tfds.as_numpy(independent)]
    dataset = records.read(manifest, split, batch_size=8, cache=cache, shuffle_seed=seed)
    assert sorted(rows(dataset)) == sorted(expected)
    given = {image.tobytes(): n % 3 for n, image in enumerate(pictures())}
    assert all(given[image] == label for image, label in expected)


@pytest.mark.parametrize("kind", ["png", "jpeg"])
@pytest.mark.parametrize("channels", [1, 3])
def test_orientation_is_undone(tmp_path, kind, channels):
    image = cv2.resize(pictures()[0], (60, 80), interpolation=cv2.INTER_CUBIC)
    original = Image.fromarray(image if channels == 3 else image[..., 0])
    encoded = {}
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        stream = io.BytesIO()
        original.save(stream, kind, exif=exif)
        encoded[orientation] = stream.getvalue()
    examples = [
        {"id": str(number), "split": "train", "image": data, "label": number - 1}
        for number, data in encoded.items()
    ]
    features = {"image": Feature("image", (None, None, channels)), "label": Feature("label")}
    source = records.examples(examples, features, class_names=tuple("abcdefgh"))
    manifest = records.write(source, tmp_path / "r")
    found = {int(y[0]) + 1: x[0].numpy() for x, y in read(manifest, batch_size=1)}
    for orientation, data in encoded.items():
        upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
        upright = upright.reshape(*upright.shape[:2], channels)
        assert found[orientation].shape == upright.shape
        # JPEG decoders may differ by little; a wrong turn is far off.
        tolerance = 0 if kind == "png" else 8
        np.testing.assert_allclose(found[orientation].astype(int), upright, atol=tolerance)


# Chains


class TwoStages:
    """Remembers the shapes that its stages see."""

    def __init__(self):
        self.seen = {}

    def stages(self):
        def single(example):
            self.seen["single"] = (example["image"].dtype, example["image"].shape.as_list())
            return {**example, "image": tf.io.decode_png(example["image"], 3)}

        def whole(example):
            self.seen["whole"] = (example["image"].dtype, example["image"].shape.rank)
            return {**example, "image": tf.cast(example["image"], tf.float32) / 255}

        return single, whole


@pytest.mark.parametrize("cache", [False, True])
def test_the_first_stage_gets_examples_and_the_second_batches(manifest, cache):
    prepare = TwoStages()
    dataset = read(manifest, prepare, cache=cache)
    assert prepare.seen == {"single": (tf.string, []), "whole": (tf.uint8, 4)}
    plain = np.concatenate([x for x, _ in read(manifest)])
    found = np.concatenate([x for x, _ in dataset])
    np.testing.assert_array_equal(found, plain.astype(np.float32) / np.float32(255))


@pytest.mark.parametrize("cache", [False, True])
def test_a_chain_gives_what_it_gives_example_by_example(manifest, cache):
    chain = ops.Chain([ops.Decode(channels=3), ops.Resize((4, 5)), ops.ToFloat()])
    found = np.concatenate([x for x, _ in read(manifest, chain, cache=cache)])
    plain = np.concatenate([x for x, _ in read(manifest)])
    expected = [chain({"image": tf.io.encode_png(image)})["image"] for image in plain]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("cache", [False, True])
def test_random_ops_draw_anew_in_every_epoch_and_the_same_in_every_run(manifest, cache):
    chain = ops.Chain([ops.Decode(channels=3), ops.RandomAffine(), ops.ToFloat()])
    first, second = (read(manifest, chain, cache=cache, shuffle_seed=1) for _ in range(2))
    epochs = [sorted(rows(first)) for _ in range(2)]
    assert epochs == [sorted(rows(second)) for _ in range(2)]
    assert epochs[0] != epochs[1]


@pytest.mark.parametrize("cache", [False, True])
@pytest.mark.parametrize("stage", [0, 1])
def test_what_a_chain_refuses_is_said_in_one_sentence(manifest, cache, stage):
    class Refusing:
        def stages(self):
            def refuse(example):
                raise RequestError("Expected the other order.")

            stages = [lambda example: example, lambda example: example]
            stages[stage] = refuse
            return stages

    with pytest.raises(RequestError) as caught:
        read(manifest, Refusing(), cache=cache)
    assert str(caught.value) == "Expected the other order."


def test_an_op_that_gets_another_image_than_it_takes_says_so(manifest):
    chain = ops.Chain([ops.ToFloat()])
    with pytest.raises(RequestError) as caught:
        read(manifest, chain)
    assert str(caught.value) == (
        "ToFloat() expected uint8 images, 0 to 255. Received: encoded images."
    )


def test_another_error_of_a_function_is_left_as_it_is(manifest):
    with pytest.raises(KeyError, match="no_such_key"):
        read(manifest, lambda example: {"image": example["no_such_key"]})


def test_what_is_cached_must_not_be_random(manifest):
    chain = ops.Chain([ops.Decode(channels=3), ops.RandomAffine(), ops.Resize((4, 4))])
    with pytest.raises(RequestError) as caught:
        read(manifest, chain, cache=True, shuffle_seed=0)
    assert str(caught.value) == (
        "`cache=True` keeps what the first stage gives, and RandomAffine() is in it, because an "
        "op after it needs single images. Move random ops behind all ops that need single "
        "images, or pass `cache=False`."
    )
    assert len(list(read(manifest, chain, shuffle_seed=0))) == 6


@pytest.mark.parametrize("cache", [False, True])
def test_a_plain_function_gets_single_examples(manifest, cache):
    def prepare(example):
        image = tf.io.decode_image(example["image"], expand_animations=False)
        image = tf.ensure_shape(image, (8, 6, 3))
        return {**example, "image": image[:4], "label": example["label"] + 10}

    plain, found = rows(read(manifest)), rows(read(manifest, prepare, cache=cache))
    assert found == [(image[: 4 * 6 * 3], label + 10) for image, label in plain]


# Two devices


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("cache", [False, True])
def test_two_devices_get_the_same_batches(manifest, two_devices, cache, inside):
    def prepare(example):
        number = tf.strings.to_number(example["id"], tf.int64)
        return {**example, "image": number, "label": number}

    options = {"cache": cache, "shuffle_seed": 0, "prepare": prepare}
    undisturbed = read(manifest, **options)
    if inside:
        with two_devices.scope():
            dataset = read(manifest, **options)
    else:
        dataset = read(manifest, **options)
    distributed = two_devices.experimental_distribute_dataset(dataset)
    for _ in range(2):
        expected = [y.numpy().tolist() for _, y in undisturbed]
        found, sizes = [], []
        for _, y in distributed:
            parts = [part.numpy() for part in two_devices.experimental_local_results(y)]
            found.append(np.concatenate(parts).tolist())
            sizes.append([len(part) for part in parts])
        assert found == expected
        assert sizes == [[4, 4]] * 5 + [[3, 2]]


# Arguments


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"batch_size": 0}, "Expected `batch_size` to be at least 1. Received: batch_size=0"),
        (
            {"start": (0, -1)},
            "Expected `start` to be (epoch, batch), both from 0. Received: start=(0, -1)",
        ),
        (
            {"start": (-1, 0)},
            "Expected `start` to be (epoch, batch), both from 0. Received: start=(-1, 0)",
        ),
        ({"balance": True}, "`balance=True` draws at random: give a `shuffle_seed`, too."),
    ],
)
def test_arguments_that_do_not_fit(manifest, options, sentence):
    with pytest.raises(RequestError) as caught:
        read(manifest, **options)
    assert str(caught.value) == sentence


def test_a_split_that_is_not_there(manifest):
    with pytest.raises(RequestError) as caught:
        records.read(manifest, "vall", batch_size=1)
    assert str(caught.value) == (
        "Expected `split` to be one of 'train', 'val'. Received: split='vall'. Did you mean 'val'?"
    )
