"""TensorFlow Datasets opens the folder of every kind of feature, and reads what was written."""

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from tests.pictures import encoded
from tfpipe.records import arrays, write
from tfpipe.records.sources.base import Entry, Feature, from_entries

NAMES = ("cat", "dog", "ant")


def noise(*shape):
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, np.uint8)


def written(path, features, *values, class_names=NAMES, name="things"):
    """Writes these examples and opens the folder with TensorFlow Datasets."""
    entries = [Entry(f"e{n}", "train", value) for n, value in enumerate(values)]
    source = from_entries(
        name,
        entries,
        lambda value: value,
        features=features,
        class_names=class_names,
        rule={},
        seed=0,
    )
    write(source, path)
    return tfds.builder_from_directory(str(path))


def read(builder, **options):
    examples = tfds.as_numpy(builder.as_dataset(split="train", **options))
    return sorted(examples, key=lambda example: example["id"])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_images_and_labels(tmp_path, kind, channels):
    pixels = [noise(5, 7, 3), noise(6, 4, 3)]
    features = {"image": Feature("image", (None, None, channels)), "label": Feature("label")}
    data = [encoded(image, kind) for image in pixels]
    values = [{"image": image, "label": n} for n, image in enumerate(data)]
    builder = written(tmp_path / "r", features, *values, class_names=NAMES[:2])
    found = read(builder)
    assert [example["id"] for example in found] == [b"e0", b"e1"]
    assert [example["label"] for example in found] == [0, 1]
    assert [example["image"].shape for example in found] == [(5, 7, channels), (6, 4, channels)]
    if (kind, channels) == ("PNG", 3):
        for example, image in zip(found, pixels, strict=True):
            np.testing.assert_array_equal(example["image"], image)
    assert builder.info.features["label"].names == ["cat", "dog"]
    assert builder.info.supervised_keys == ("image", "label")
    as_stored = read(builder, decoders={"image": tfds.decode.SkipDecoding()})
    assert [example["image"] for example in as_stored] == data


@pytest.mark.parametrize(("kind", "options"), [("GIF", {}), ("BMP", {})])
def test_what_tfds_does_not_decode_to_this_shape_comes_back_as_it_came(tmp_path, kind, options):
    features = {"image": Feature("image", (None, None, 1)), "label": Feature("label")}
    data = encoded(noise(5, 7), kind)
    builder = written(tmp_path / "r", features, {"image": data, "label": 0}, class_names=("cat",))
    found = read(builder, decoders={"image": tfds.decode.SkipDecoding()})
    assert found[0]["image"] == data


def test_the_orientation_comes_with_the_image(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    features = {"image": Feature("image", (None, None, 3)), "label": Feature("label")}
    data = encoded(noise(5, 7, 3), "PNG", exif=exif)
    builder = written(tmp_path / "r", features, {"image": data, "label": 0}, class_names=("cat",))
    assert read(builder)[0]["orientation"] == 6


def test_arrays(tmp_path):
    x, y = noise(20, 4, 5), np.arange(20) % 2
    write(arrays(x, y, split={"train": 1.0}), tmp_path / "r")
    builder = tfds.builder_from_directory(str(tmp_path / "r"))
    found = read(builder)
    np.testing.assert_array_equal([example["image"][..., 0] for example in found], x)
    np.testing.assert_array_equal([example["label"] for example in found], y)
    assert builder.info.features["image"].shape == (4, 5, 1)


def test_masks(tmp_path):
    table = tuple(int(grey > 127) for grey in range(256))
    features = {"image": Feature("image", (None, None, 3)), "mask": Feature("mask", table=table)}
    image, mask = noise(5, 7, 3), noise(5, 7)
    value = {"image": encoded(image, "PNG"), "mask": encoded(mask, "PNG")}
    found = read(written(tmp_path / "r", features, value))[0]
    np.testing.assert_array_equal(found["image"], image)
    np.testing.assert_array_equal(found["mask"][..., 0], mask)


def test_multiple_labels(tmp_path):
    features = {"text": Feature("text"), "labels": Feature("labels", (3,))}
    values = [{"text": "größe", "labels": [1, 0, 1]}, {"text": "", "labels": [0, 1, 0]}]
    found = read(written(tmp_path / "r", features, *values))
    assert [example["text"].decode() for example in found] == ["größe", ""]
    np.testing.assert_array_equal([e["labels"] for e in found], [[1, 0, 1], [0, 1, 0]])


def test_boxes(tmp_path):
    features = {
        "image": Feature("image", (None, None, 3)),
        "boxes": Feature("boxes"),
        "classes": Feature("classes"),
    }
    boxes = [[[0.0, 0.25, 0.5, 1.0], [0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1]], []]
    classes = [[2, 0, 1], []]
    values = [
        {"image": noise(5, 7, 3), "boxes": box, "classes": label}
        for box, label in zip(boxes, classes, strict=True)
    ]
    builder = written(tmp_path / "r", features, *values)
    found = read(builder)
    np.testing.assert_allclose(found[0]["boxes"], boxes[0])
    assert found[0]["classes"].tolist() == [2, 0, 1]
    assert (found[1]["boxes"].shape, found[1]["classes"].shape) == ((0, 4), (0,))
    assert builder.info.features["classes"].feature.names == list(NAMES)


def test_sequences(tmp_path):
    features = {"sequence": Feature("sequence", (4, 2)), "label": Feature("label")}
    sequence = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    value = {"sequence": sequence, "label": 0}
    found = read(written(tmp_path / "r", features, value, class_names=("a",)))[0]
    np.testing.assert_array_equal(found["sequence"], sequence)
    assert found["sequence"].dtype == np.float32


def test_sizes_and_names(tmp_path):
    x, y = noise(40, 4, 5), np.arange(40) % 2
    manifest = write(arrays(x, y, name="dots"), tmp_path / "r", shard_bytes=150)
    builder = tfds.builder_from_directory(str(tmp_path / "r"))
    assert builder.name == "dots"
    for name, split in manifest.splits.items():
        assert builder.info.splits[name].num_examples == split.num_examples
        assert builder.info.splits[name].num_bytes == split.num_bytes
        assert builder.info.splits[name].filenames == [shard.file for shard in split.shards]
    assert len(manifest.splits["train"].shards) > 2
