"""What a person sees of an example: small, and of the right colours."""

import numpy as np

from tfpipe.drift.inputs import read
from tfpipe.drift.seeing import shown, small


def test_pictures_fit_a_square_and_keep_their_greys():
    image = np.full((100, 40, 1), 77, np.uint8)
    assert small(image, 50).shape == (50, 20, 1)
    assert set(small(image, 50).ravel()) == {77}
    assert small(image[:10, :10], 50).shape == (10, 10, 1)  # never larger


def test_numbers_that_are_no_greys_are_stretched():
    image = np.linspace(-2, 2, 64, dtype=np.float32).reshape(8, 8, 1)
    picture = small(image, 8)
    assert (picture.dtype, picture.min(), picture.max()) == (np.uint8, 0, 255)


def test_of_other_channels_the_first_is_seen():
    image = np.zeros((8, 8, 4), np.uint8)
    image[..., 0] = 9
    assert set(small(image, 8).ravel()) == {9}


def test_texts_are_cut_and_numbers_not_seen(reading):
    assert shown(read(["a " * 500], reading), 64) == [("a " * 500)[:200]]
    assert shown(read(["a film"], reading), 0) == [None]
    assert shown(read(np.zeros((2, 3)), None), 64) == [None, None]
