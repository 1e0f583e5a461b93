"""A grid of images: the images themselves, found again, and red only where something is wrong."""

import cv2
import numpy as np
import pytest

from tfpipe.errors import RequestError
from tfpipe.report import grid
from tfpipe.report.drawing import RED

GREEN = "#00ff00"


def solid(height=28, width=28, colour=(0, 255, 0)):
    return np.full((height, width, 3), colour, np.uint8)


def boxes(mask, *, least=500):
    """The connected areas of a mask as (x, y, width, height), row by row; letters are smaller."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    found = [tuple(map(int, row[:4])) for row in stats[1:] if row[2] * row[3] >= least]
    return sorted(found, key=lambda box: (box[1] // 100, box[0]))


@pytest.mark.parametrize("wrong", [None, [False] * 3])
def test_no_red_where_nothing_is_wrong(pixels, near, wrong):
    image = pixels(grid([solid()] * 3, ["a", "b", "c"], wrong=wrong))
    assert not near(image, RED).any()


def test_the_wrong_ones_have_red_frames_and_nobody_else(pixels, near):
    wrong = [False, True, False, False, True]
    image = pixels(grid([solid()] * 5, list("abcde"), wrong=wrong))
    frames = boxes(near(image, RED), least=10_000)
    tiles = boxes(near(image, GREEN))
    assert len(frames) == 2
    assert len(tiles) == 5
    for frame, tile in zip(frames, [tiles[1], tiles[4]], strict=True):
        assert frame[0] < tile[0]
        assert frame[0] + frame[2] > tile[0] + tile[2]


def test_the_caption_of_a_wrong_one_is_red_too(pixels, near):
    image = pixels(grid([solid()], ["caption"], wrong=[True]))
    frame = boxes(near(image, RED), least=10_000)[0]
    below = image[frame[1] + frame[3] + 4 :]
    assert near(below, RED).sum() > 100


def test_an_image_is_shown_whole_and_true(pixels):
    rng = np.random.default_rng(0)
    given = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    image = pixels(grid([given], ["a"]))
    # 240 CSS pixels, 16 from the corner; the middle of each of the six by six squares.
    places = (32 + (np.arange(6) + 0.5) * 80).astype(int)
    assert np.abs(image[np.ix_(places, places)] - given).max() <= 1


def test_grey_is_neither_stretched_nor_coloured(pixels):
    image = pixels(grid([np.full((8, 8, 1), 100, np.uint8)], ["a"]))
    assert (image[100:200, 100:200] == 100).all()


@pytest.mark.parametrize(("num_images", "columns", "rows"), [(1, 1, 1), (8, 8, 1), (9, 8, 2)])
def test_eight_stand_in_a_row(pixels, near, num_images, columns, rows):
    image = pixels(grid([solid()] * num_images, ["a"] * num_images))
    tiles = boxes(near(image, GREEN))
    assert len(tiles) == num_images
    assert len({x for x, *_ in tiles}) == columns
    assert len({y for _, y, *_ in tiles}) == rows
    assert image.shape[1] <= 2 * 816


def test_images_keep_their_proportions_and_stand_on_one_line(pixels, near):
    image = pixels(grid([solid(10, 30), solid(30, 10), solid(300, 300)], ["a", "b", "c"]))
    tiles = boxes(near(image, GREEN))
    assert {y + height for _, y, _, height in tiles} == {max(y + h for _, y, _, h in tiles)}
    shapes = sorted(round(width / height, 1) for *_, width, height in tiles)
    assert shapes == pytest.approx([1 / 3, 1, 3], abs=0.1)


def test_an_array_of_images_will_do():
    images = np.stack([solid(), solid()])
    assert grid(images, ["a", "b"]) == grid(list(images), ["a", "b"]) == grid(iter(images), "ab")


@pytest.mark.parametrize("caption", ["one word after the other, many times over", "x" * 60])
def test_a_long_caption_is_wrapped_not_cut(pixels, near, caption):
    short = pixels(grid([solid()] * 8, ["a"] * 8))
    long = pixels(grid([solid()] * 8, [*"abcd", caption, *"fgh"]))
    assert long.shape[0] >= short.shape[0] + 3 * 30
    assert long.shape[1] == short.shape[1]
    tile = boxes(near(long, GREEN))[4]
    ink = np.flatnonzero((long[tile[1] + tile[3] + 40 :] < 128).all(axis=-1).any(axis=0))
    assert tile[0] - 32 < ink[0]
    assert ink[-1] < tile[0] + tile[2] + 32


def test_any_caption_will_do():
    assert grid([solid()] * 3, ["", "日本 🙂 $x$", "a\n\nb\x00"], wrong=[True] * 3)


FORM = "a uint8 array (H, W, 1) or (H, W, 3)"


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        ([], "Expected `images` to hold at least one. Received: none."),
        (
            np.zeros((2, 28, 28), np.uint8),
            f"Expected `images[0]` to be {FORM}. Received: shape=(28, 28), dtype='uint8'",
        ),
        (
            [solid(), solid() / np.float32(255)],
            f"Expected `images[1]` to be {FORM}. Received: shape=(28, 28, 3), dtype='float32'",
        ),
        (
            [np.zeros((8, 8, 4), np.uint8)],
            f"Expected `images[0]` to be {FORM}. Received: shape=(8, 8, 4), dtype='uint8'",
        ),
        (
            [np.zeros((0, 8, 1), np.uint8)],
            f"Expected `images[0]` to be {FORM}. Received: shape=(0, 8, 1), dtype='uint8'",
        ),
        (["a.png"], f"Expected `images[0]` to be {FORM}. Received: type='str'"),
    ],
)
def test_wrong_images(images, sentence):
    with pytest.raises(RequestError) as caught:
        grid(images, ["a"] * len(images))
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("captions", "wrong", "sentence"),
    [
        (["a"], None, "Expected `captions` to have one entry per image, 2. Received: entries=1"),
        (
            ["a", "b"],
            [True] * 3,
            "Expected `wrong` to have one entry per image, 2. Received: entries=3",
        ),
    ],
)
def test_wrong_numbers_of_captions(captions, wrong, sentence):
    with pytest.raises(RequestError) as caught:
        grid([solid()] * 2, captions, wrong=wrong)
    assert str(caught.value) == sentence
