"""The pixels of all frames of a GIF against what Pillow wrote into it."""

import io

import pytest
from PIL import Image

from tfpipe.records.gifs import gif_pixels


def gif(*frames, **options):
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], **options)
    return file.getvalue()


def noise(size, seed):
    return Image.effect_noise(size, 50 + seed)


def test_one_frame():
    assert gif_pixels(gif(noise((30, 20), 0))) == 600


def test_all_frames_count_with_palettes_comments_and_loops():
    frames = [noise((30, 20), n).convert("RGB").quantize(2 << n) for n in range(4)]
    data = gif(*frames, comment=b"c" * 700, loop=0, optimize=False, disposal=2)
    assert gif_pixels(data) == 4 * 600


def test_a_frame_that_is_larger_than_the_screen_counts_as_it_is():
    data = bytearray(gif(noise((30, 20), 0)))
    data[6:10] = (1).to_bytes(2, "little") * 2  # the screen's width and height
    assert gif_pixels(bytes(data)) == 600


@pytest.mark.parametrize("length", [0, 5, 11, 14, 100])
def test_a_cut_gif_is_read_as_far_as_it_goes(length):
    data = gif(*(noise((30, 20), n) for n in range(3)))
    assert gif_pixels(data[:length]) in (0, 600)
