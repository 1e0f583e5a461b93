"""Chains compare, print as code, refuse a wrong order, and split where they must."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfpipe import ops, records
from tfpipe.errors import RequestError
from tfpipe.ops import Chain, Decode, RandomAffine, Resize, ToFloat

WHOLE = Chain([Decode(channels=1), Resize((8, 6)), RandomAffine(0.1, 0.2), ToFloat()])


def png(height, width):
    image = np.random.default_rng(height).integers(0, 256, (height, width, 1), np.uint8)
    return tf.io.encode_png(image).numpy()


def refused(*chain):
    with pytest.raises(RequestError) as caught:
        Chain(chain)
    return str(caught.value)


def test_a_chain_is_its_ops_in_a_row():
    example = {"image": png(20, 30), "key": "a", "label": 3}
    expected = example
    for op in WHOLE.ops:
        expected = op(expected)
    found = WHOLE(example)
    assert found["label"] == 3
    np.testing.assert_array_equal(found["image"], expected["image"])


def test_an_empty_chain_changes_nothing():
    assert Chain([])({"label": 3}) == {"label": 3}


def test_chains_compare_by_their_ops():
    same = Chain(op for op in (Decode(1), Resize((8, 6)), RandomAffine(0.1, 0.2), ToFloat()))
    assert same == WHOLE
    assert hash(same) == hash(WHOLE)
    for change in (Decode(3), Resize((6, 8)), RandomAffine(0.1, 0.1)):
        changed = [change if type(op) is type(change) else op for op in WHOLE.ops]
        assert Chain(changed) != WHOLE


def test_a_chain_prints_as_code():
    assert repr(WHOLE) == (
        "Chain([Decode(channels=1), Resize(size=(8, 6)), "
        "RandomAffine(rotation=0.1, translation=0.2), ToFloat()])"
    )
    assert eval(repr(WHOLE), vars(ops)) == WHOLE


def test_a_chain_does_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        WHOLE.ops = ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        WHOLE.ops[0].channels = 3


@pytest.mark.parametrize(
    ("chain", "sentence"),
    [
        (
            (ToFloat(), Resize((8, 8))),
            "Expected uint8 images, 0 to 255 before Resize(size=(8, 8)). "
            "Received: float32 images from ToFloat(); change the order.",
        ),
        (
            (Resize((8, 8)), Decode(1)),
            "Expected encoded images (bytes) before Decode(channels=1). "
            "Received: uint8 images, 0 to 255 from Resize(size=(8, 8)); change the order.",
        ),
        (
            (Decode(1), ToFloat(), ToFloat()),
            "Expected uint8 images, 0 to 255 before ToFloat(). "
            "Received: float32 images from ToFloat(); change the order.",
        ),
    ],
)
def test_a_wrong_order_is_refused(chain, sentence):
    assert refused(*chain) == sentence


def test_what_mixes_a_batch_cannot_come_before_what_needs_single_images():
    assert refused(ops.CutMix(2), Resize((8, 8))) == (
        "Expected CutMix(num_classes=2) after Resize(size=(8, 8)): it mixes the images of a "
        "batch, and before there are only single images; change the order."
    )
    assert refused(ops.CutMix(2), ops.RandomFlip(), Resize((8, 8))).startswith("Expected CutMix")


def test_inference_leaves_the_random_ops_out():
    assert WHOLE.inference() == Chain([Decode(1), Resize((8, 6)), ToFloat()])


def test_stages_part_single_images_from_batches():
    assert WHOLE.stages() == (
        Chain([Decode(1), Resize((8, 6))]),
        Chain([RandomAffine(0.1, 0.2), ToFloat()]),
    )
    early = Chain([Decode(1), RandomAffine(), Resize((8, 6))])
    assert early.stages() == (early, Chain([]))
    assert Chain([ToFloat()]).stages() == (Chain([]), Chain([ToFloat()]))


def test_pixels_and_inside_are_the_two_sides_of_an_exported_file():
    assert WHOLE.outside() == Chain([Decode(1), Resize((8, 6))])
    assert WHOLE.inside() == Chain([ToFloat()])
    image = {"image": png(20, 30)}
    np.testing.assert_array_equal(
        WHOLE.inside()(WHOLE.outside()(image))["image"], WHOLE.inference()(image)["image"]
    )


def test_with_an_input_size_the_resizing_is_inside_the_file():
    chain = Chain([Decode(1), RandomAffine(), Resize((8, 6), letterbox=True), ToFloat()])
    assert chain.outside((20, 30)) == Chain([Decode(1), Resize((20, 30))])
    assert chain.inside((20, 30)) == Chain([Resize((8, 6), letterbox=True), ToFloat()])
    image = {"image": png(20, 30)}  # of the capture's size: outside() leaves it as it is
    np.testing.assert_array_equal(
        chain.inside((20, 30))(chain.outside((20, 30))(image))["image"],
        chain.inference()(image)["image"],
    )


def test_an_input_size_does_for_a_chain_of_pixels_and_not_of_floats():
    assert Chain([ToFloat()]).inside((20, 30)) == Chain([ToFloat()])
    assert Chain([]).outside((20, 30)) == Chain([Resize((20, 30))])
    with pytest.raises(RequestError, match=r"`size` to be \(height, width\)"):
        WHOLE.outside((20, 0))


def test_a_chain_maps_over_images_of_any_size():
    data = {"image": [png(20, 30), png(5, 7), png(8, 6)], "key": ["a", "b", "c"]}
    dataset = tf.data.Dataset.from_tensor_slices(data).map(WHOLE)
    assert dataset.element_spec["image"] == tf.TensorSpec((8, 6, 1), tf.float32)
    for index, example in enumerate(dataset):
        alone = WHOLE({name: values[index] for name, values in data.items()})
        np.testing.assert_array_equal(example["image"], alone["image"])


def test_the_second_stage_gives_for_a_batch_what_it_gives_for_one():
    single, whole = WHOLE.stages()
    data = {"image": [png(20, 30), png(5, 7)], "key": ["a", "b"]}
    dataset = tf.data.Dataset.from_tensor_slices(data).map(single)
    batch = next(iter(dataset.batch(2).map(whole)))
    for index, example in enumerate(dataset.map(whole)):
        np.testing.assert_array_equal(batch["image"][index], example["image"])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Records of images with a bright square, its mask and its box; every second has two boxes."""

    def examples():
        for number in range(12):
            random = np.random.default_rng(number)
            height, width = (int(side) for side in random.integers(40, 60, 2))
            image, mask = np.zeros((2, height, width, 1), np.uint8)
            y, x = (int(place) for place in random.integers(10, 20, 2))
            image[y : y + 12, x : x + 16] = 255
            mask[y : y + 12, x : x + 16] = 200
            box = [y / height, x / width, (y + 12) / height, (x + 16) / width]
            boxes = [box, [0.0, 0.0, 0.1, 0.1]][: 1 + number % 2]
            yield {"id": f"{number:02d}", "image": image, "mask": mask, "boxes": boxes}

    folder = tmp_path_factory.mktemp("drawn")
    manifests = {}
    for key, feature in (
        ("mask", records.Feature("mask", table=tuple(int(grey > 127) for grey in range(256)))),
        ("boxes", records.Feature("boxes")),
    ):
        rows = [{name: row[name] for name in ("id", "image", key)} for row in examples()]
        features = {"image": records.Feature("image", (None, None, 1)), key: feature}
        if key == "boxes":
            features["classes"] = records.Feature("classes")
            rows = [{**row, "classes": list(range(len(row["boxes"])))} for row in rows]
        source = records.examples(rows, features, class_names=("a", "b"), split=(1.0,), name=key)
        manifests[key] = records.write(source, folder / key)
    return manifests


GEOMETRY = [ops.RandomFlip(), ops.RandomAffine(0.05, 0.05, (0.9, 1.1)), ops.RandomZoom()]


@pytest.mark.parametrize("late", [False, True])
def test_masks_from_records_move_with_their_images(drawn, late):
    resize = [Resize((48, 48), letterbox=True)]
    chain = Chain([Decode(1), *(resize + GEOMETRY if late else GEOMETRY + resize)])
    for images, masks in records.read(drawn["mask"], "train", chain, batch_size=5, shuffle_seed=0):
        assert set(np.unique(masks)) == {0, 1}
        assert (((images.numpy() > 127) != (masks == 1).numpy()).mean((1, 2, 3)) < 0.02).all()


@pytest.mark.parametrize("late", [False, True])
def test_boxes_from_records_move_with_their_images(drawn, late):
    resize = [Resize((48, 48), letterbox=True)]
    chain = Chain([Decode(1), *(resize + GEOMETRY if late else GEOMETRY + resize)])
    batches = records.read(drawn["boxes"], "train", chain, batch_size=5, shuffle_seed=0)
    counts = []
    for images, targets in batches:
        boxes, classes = targets["boxes"].numpy(), targets["classes"].numpy()
        counts += [(row >= 0).sum() for row in classes]
        assert ((boxes == -1).all(-1) == (classes == -1)).all()
        for image, box in zip(images.numpy(), boxes[:, 0], strict=True):
            rows, columns = np.nonzero(image[..., 0] > 127)
            ends = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
            np.testing.assert_allclose(np.array(ends) / 48, box, atol=2.5 / 48)
    assert set(counts) == {1, 2}
