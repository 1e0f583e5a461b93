"""What may be measured: arrays as a file takes them, encoded images, texts; and what may not."""

import cv2
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import ops, tokens
from tfpipe.drift.inputs import read, require_same


def png(height, width, grey=9):
    image = np.full((height, width, 1), grey, np.uint8)
    return cv2.imencode(".png", image)[1].tobytes()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.zeros((2, 8, 8, 3), np.uint8), "image"),
        (np.zeros((2, 8, 8, 1), np.float32), "image"),
        (np.zeros((2, 8), np.int32), "tokens"),
        (np.zeros((2, 8), np.float32), "sequence"),
        (np.zeros((2, 8, 3)), "sequence"),
    ],
)
def test_arrays_are_what_a_file_takes(values, kind):
    examples = read(values, None)
    assert (examples.kind, examples.shape, len(examples)) == (kind, values.shape[1:], 2)
    assert read(list(values), None).takes.shape == values.shape


def test_encoded_images_are_prepared_and_keep_their_sizes(prepare):
    examples = read([png(40, 60), png(8, 8, grey=200)], prepare)
    assert examples.shape == (32, 32, 1)
    assert examples.sizes_px.tolist() == [[40, 60], [8, 8]]
    assert [examples.takes[0].max(), examples.takes[1].min()] == [9, 200]
    by_chain = prepare.outside()({"image": tf.constant(png(40, 60))})["image"]
    assert (examples.takes[0] == by_chain.numpy()).all()


def test_texts_are_read_in_windows(reading):
    examples = read(["a fine film and a fine end", b"Fine"], reading)
    assert (examples.kind, examples.rows_each.tolist()) == ("text", [3, 1])
    one = tokens.reader(("[PAD]", "[UNK]", "a", "fine", "film"), 4, 2)
    assert (examples.takes[:3] == one("a fine film and a fine end")).all()
    assert examples.texts[1] == ("Fine", [3])


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ([], "Expected at least one example. Received: none."),
        (
            np.zeros((2, 3), bool),
            "Expected images (N, H, W, 1 to 4) of one size, tokens (N, T), sequences (N, T, C), "
            "features (N, C), texts or encoded images. Received: bool of shape (2, 3).",
        ),
        (
            [np.zeros((2, 3)), np.zeros((4, 3))],
            "Expected images (N, H, W, 1 to 4) of one size, tokens (N, T), sequences (N, T, C), "
            "features (N, C), texts or encoded images. Received: object of shape (0,).",
        ),
        (
            np.array([[1.0, 2.0], [np.nan, np.inf]]),
            "Expected finite numbers. Received: 2 of 4 that are infinite or no number, the first "
            "in example 1.",
        ),
        (
            ["a film"],
            "Expected `prepare`, the model's chain, with texts or encoded images. Received: none.",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused(inputs, sentence, refused):
    assert refused(read, inputs, None) == sentence


def test_what_cannot_be_decoded_is_refused(prepare, refused):
    assert refused(read, [png(4, 4), b"no image"], prepare) == (
        "Expected encoded images. Received: example 1, which cannot be decoded."
    )


def test_a_single_text_is_no_batch_of_its_letters(reading, refused):
    assert refused(read, "reviews.txt", reading) == (
        "Expected a batch of texts or of encoded images. Received: inputs='reviews.txt'"
    )


def test_errors_name_examples_by_their_ids(prepare, refused):
    assert refused(read, [png(4, 4), b"no image"], prepare, ids=["a.png", "b.png"]) == (
        "Expected encoded images. Received: example b.png, which cannot be decoded."
    )
    assert refused(read, np.array([[1.0], [np.nan]]), None, ids=["7", "8"]).endswith("example 8.")


def test_texts_need_a_chain_of_words(refused):
    chain = ops.Chain([ops.Tokenize(("[PAD]", "[UNK]", "a"))])
    assert refused(read, ["a"], chain) == (
        "Expected a chain of Tokenize and Window for texts. Received: "
        "prepare=Chain([Tokenize(vocabulary=('[PAD]', '[UNK]', 'a'))])"
    )


def test_sizes_are_of_every_image(refused):
    assert refused(read, np.zeros((2, 8, 8, 1), np.uint8), None, [(8, 8)]) == (
        "Expected `sizes_px` to hold height and width of 2 images. Received: shape=(1, 2)"
    )


def test_other_examples_than_the_profiles_are_refused(refused):
    examples = read(np.zeros((2, 8, 8, 3), np.uint8), None)
    assert refused(require_same, examples, "image", (32, 32, 1)) == (
        "Expected examples of kind 'image' and shape (32, 32, 1), as in the profile. "
        "Received: 'image' of shape (8, 8, 3)."
    )
