"""Every kind of feature goes into a record and comes back as it was, in bytes that never change."""

import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from tests.pictures import encoded
from tfpipe.records.codec import decoder, parse, to_record
from tfpipe.records.sources.base import Feature
from tfpipe.records.writing.encode import encode

TABLE = tuple(0 if grey < 100 else 1 if grey == 200 else -1 for grey in range(256))
FLOATS = st.floats(width=32, allow_nan=False)
INT64 = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def images(*channels):
    shape = st.tuples(st.integers(1, 9), st.integers(1, 9), *map(st.just, channels))
    return shape.flatmap(lambda found: arrays.arrays(np.uint8, found))


def rounded(example, features):
    """The example as it comes back from its record."""
    done = encode({"id": "a", **example}, features)
    assert done == encode({"id": "a", **example}, features)
    assert not done.refused
    return {key: value.numpy() for key, value in parse(done.record, features).items()}


@given(TEXTS, TEXTS)
def test_text_and_id(example_id, text):
    features = {"text": Feature("text")}
    done = encode({"id": example_id, "text": text}, features)
    parsed = parse(done.record, features)
    assert parsed["text"].numpy().decode() == text
    assert parsed["id"].numpy().decode() == example_id


def test_an_id_of_undecodable_bytes():
    name = b"a\xff\xfe.png"
    done = encode({"id": name.decode("utf-8", "surrogateescape"), "label": 0}, LABEL)
    assert parse(done.record, LABEL)["id"].numpy() == name


LABEL = {"label": Feature("label")}


@given(INT64)
def test_label(label):
    assert rounded({"label": label}, LABEL)["label"] == label


@given(arrays.arrays(np.int64, st.integers(1, 20), elements=st.integers(0, 1)))
def test_labels(labels):
    features = {"labels": Feature("labels", labels.shape)}
    found = rounded({"labels": labels}, features)["labels"]
    np.testing.assert_array_equal(found, labels)
    assert encode({"id": "a", "labels": labels}, features).classes == tuple(np.flatnonzero(labels))


@given(arrays.arrays(np.float32, st.tuples(st.integers(0, 6), st.just(4)), elements=FLOATS))
def test_boxes_and_classes(boxes):
    features = {"boxes": Feature("boxes"), "classes": Feature("classes")}
    classes = np.arange(len(boxes)) % 3
    found = rounded({"boxes": boxes.tolist(), "classes": classes.tolist()}, features)
    np.testing.assert_array_equal(found["boxes"], boxes)
    assert found["boxes"].shape == (len(boxes), 4)
    np.testing.assert_array_equal(found["classes"], classes)


@given(
    arrays.arrays(
        np.float32, arrays.array_shapes(min_dims=2, max_dims=2), elements=st.floats(width=32)
    )
)
def test_sequence(sequence):
    features = {"sequence": Feature("sequence", sequence.shape)}
    found = rounded({"sequence": sequence}, features)["sequence"]
    np.testing.assert_array_equal(found, sequence)


@given(
    arrays.arrays(
        np.float32,
        arrays.array_shapes(min_dims=0, max_dims=1),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    )
)
def test_target(target):
    features = {"target": Feature("target", target.shape)}
    found = rounded({"target": target}, features)["target"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, target)


@given(st.one_of(images(1), images(3)))
def test_pixels(pixels):
    features = {"image": Feature("image", (None, None, pixels.shape[2])), **LABEL}
    found = rounded({"image": pixels, "label": 3}, features)
    assert found["orientation"] == 1
    assert found["label"] == 3
    decoded = decoder(features)({key: tf.constant(value) for key, value in found.items()})
    np.testing.assert_array_equal(decoded["image"], pixels)
    assert "orientation" not in decoded


@given(images(3), st.sampled_from(["PNG", "BMP", "JPEG"]))
def test_bytes_are_stored_as_they_came(pixels, kind):
    features = {"image": Feature("image", (None, None, 3))}
    data = encoded(pixels, kind)
    assert rounded({"image": data}, features)["image"] == data


@given(images().map(lambda greys: np.where(greys < 128, greys % 100, 200).astype(np.uint8)))
def test_mask(greys):
    features = {"image": Feature("image", (None, None, 1)), "mask": Feature("mask", table=TABLE)}
    example = {"image": greys[..., None], "mask": encoded(greys)}
    found = rounded(example, features)
    decoded = decoder(features)({key: tf.constant(value) for key, value in found.items()})
    np.testing.assert_array_equal(decoded["mask"][..., 0], greys == 200)
    assert decoded["mask"].dtype == tf.int32


def test_the_decoder_turns_what_exif_says():
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    features = {"image": Feature("image", (None, None, 3))}
    found = rounded({"image": encoded(pixels, exif=exif)}, features)
    assert found["orientation"] == 6
    decoded = decoder(features)({key: tf.constant(value) for key, value in found.items()})
    np.testing.assert_array_equal(decoded["image"], np.rot90(pixels, -1))


@given(
    st.binary(),
    st.lists(INT64),
    st.lists(FLOATS),
    st.integers(1, 8),
    TEXTS,
)
def test_the_bytes_are_those_of_the_message_put_together_by_its_constructors(
    data, ints, floats, orientation, example_id
):
    kinds = {"image": data, "label": 3, "classes": ints, "boxes": floats, "text": data}
    features = {key: Feature(key) for key in kinds}
    strings = {key: tf.train.BytesList(value=[data]) for key in ("image", "text")}
    name = tf.train.BytesList(value=[example_id.encode("utf-8", "surrogateescape")])
    expected = {key: tf.train.Feature(bytes_list=value) for key, value in strings.items()}
    expected |= {
        "id": tf.train.Feature(bytes_list=name),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[3])),
        "classes": tf.train.Feature(int64_list=tf.train.Int64List(value=ints)),
        "boxes": tf.train.Feature(float_list=tf.train.FloatList(value=floats)),
        "orientation": tf.train.Feature(int64_list=tf.train.Int64List(value=[orientation])),
    }
    message = tf.train.Example(features=tf.train.Features(feature=expected))
    found = to_record(example_id, kinds, features, orientation=orientation)
    assert found == message.SerializeToString(deterministic=True)
