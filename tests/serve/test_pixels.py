"""Encoded images become the pixels that training read; what is none is told before or after."""

import io
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.pictures import encoded, waves
from tfpipe import ops, records
from tfpipe.errors import RequestError
from tfpipe.serve import pixels

MANY = 2**20


def refused(function, *arguments):
    with pytest.raises(RequestError) as caught:
        function(*arguments)
    return str(caught.value)


def opened(*images):
    return [pixels.open_image(image, MANY) for image in images]


@pytest.fixture(scope="module")
def manifest(pictures, tmp_path_factory):
    """The pictures as records."""
    folder = tmp_path_factory.mktemp("pictures")
    for name in ("any", "none"):
        (folder / "images" / name).mkdir(parents=True)
    for name, data in pictures.items():
        (folder / "images" / "any" / name).write_bytes(data)
    (folder / "images" / "none" / "white.png").write_bytes(encoded(Image.new("L", (9, 9), 255)))
    source = records.image_folder(folder / "images", split=(1.0,))
    return records.write(source, folder / "records")


CHAINS = {
    "antialiased": [ops.Decode(channels=1), ops.Resize((32, 24))],
    "area": [ops.Decode(channels=3), ops.Resize((23, 32), method="area")],
    "letterboxed": [ops.Decode(channels=3), ops.Resize((32, 30), letterbox=True)],
    "equalised": [ops.Decode(channels=3), ops.Grayscale(), ops.Clahe(), ops.Resize((32, 32))],
    "cropped": [ops.Decode(channels=1), ops.Resize((40, 36)), ops.CenterCrop((24, 32))],
}


@pytest.mark.parametrize("name", CHAINS)
def test_the_pixels_are_those_of_the_training_pipeline(name, manifest, pictures):
    chain = ops.Chain([*CHAINS[name], ops.ToFloat()])
    batches = records.read(manifest, "train", chain.outside(), batch_size=64)
    ((images, labels),) = batches.as_numpy_iterator()
    trained = images[labels == 0]
    served = pixels.reader(chain.outside(), trained.shape[1:])(opened(*pictures.values()))
    assert len(served) == len(pictures)
    assert sorted(map(bytes, served)) == sorted(map(bytes, trained))


def test_images_of_the_files_size_are_decoded_alike_alone_and_in_the_graph(monkeypatch):
    """Without the graph's costs where decoding is all: grey and colour, PNG and JPEG, turned."""
    turned = Image.Exif()
    turned[0x0112] = 3
    colour = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8))
    kinds = [("PNG", {}), ("JPEG", {}), ("JPEG", {"exif": turned}), ("GIF", {}), ("BMP", {})]
    wide = [(colour.resize(size), "PNG", {}) for size in ((50, 32), (32, 50))]
    both = [(image, *how) for how in kinds for image in (colour, colour.convert("L"))]
    images = opened(*(encoded(image, kind, **more) for image, kind, more in both + wide))
    for channels in (1, 3):
        chain = ops.Chain([ops.Decode(channels), ops.Resize((32, 32))])
        fast = pixels.reader(chain, (32, 32, channels))(images)
        with monkeypatch.context() as patch:
            patch.setattr(pixels, "SMALL_PIXELS", 0)
            np.testing.assert_array_equal(fast, pixels.reader(chain, (32, 32, channels))(images))
    assert sum(pixels._fits(image.header, (32, 32, 1)) for image in images) == 4


@pytest.mark.parametrize("name", ["cropped", "equalised"])
def test_an_image_of_the_files_size_is_not_spared_what_else_is_to_be_done(name):
    chain = ops.Chain(CHAINS[name])
    height, width = (24, 32) if name == "cropped" else (32, 32)
    (image,) = opened(
        encoded(Image.fromarray(np.tile(np.arange(width, dtype=np.uint8), (height, 1))))
    )
    (served,) = pixels.reader(chain, (height, width, 1))([image])
    np.testing.assert_array_equal(served, chain({"image": tf.constant(image.data)})["image"])


def test_arrays_and_encoded_images_keep_their_places(chain, pictures):
    array = np.full((32, 32, 1), 7, np.uint8)
    read = pixels.reader(chain.outside(), (32, 32, 1))
    (one,) = read(opened(pictures["grey.png"]))
    mixed = read([array, *opened(pictures["grey.png"]), array])
    np.testing.assert_array_equal(mixed, [array, one, array])


def test_large_images_are_decoded_in_groups_of_few(chain, pictures, monkeypatch):
    images = opened(*pictures.values())
    together = pixels.reader(chain.outside(), (32, 32, 1))(images)
    monkeypatch.setattr(pixels, "GROUP_PIXELS", 2000)
    assert len(list(pixels._groups(images))) > 3
    apart = pixels.reader(chain.outside(), (32, 32, 1))(images)
    np.testing.assert_array_equal(apart, together)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty."),
        (b"hello", "not an image; it begins with b'hello'."),
        (encoded(waves(), "TIFF"), "a TIFF file; JPEG, PNG, GIF and BMP can be read: save it as "),
        (encoded(Image.new("I;16", (4, 4))), "more than 8 bits per channel; save it with 8, "),
        (encoded(Image.new("L", (2000, 1000))), "1000x2000 is larger than 1,048,576 pixels."),
    ],
)
def test_what_the_header_tells_is_refused_before_anything_is_decoded(data, reason):
    sentence = refused(pixels.open_image, data, MANY)
    assert sentence.startswith(f"The image cannot be used: {reason}")


def test_of_an_animation_all_frames_count():
    frames = [Image.new("L", (100, 100), shade) for shade in range(0, 250, 10)]
    film = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    sentence = refused(pixels.open_image, film, 200_000)
    reason = "its frames together are larger than 200,000 pixels"
    assert sentence == f"The image cannot be used: {reason}."


def test_a_bomb_is_refused_by_its_header():
    png = encoded(Image.new("1", (8, 8)))
    header = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + png[24:29]  # decoded, 3.6 GB
    bomb = png[:12] + header + zlib.crc32(header).to_bytes(4, "big") + png[33:]
    sentence = refused(pixels.open_image, bomb, MANY)
    assert sentence == "The image cannot be used: larger than 1,048,576 pixels."


def test_one_that_is_cut_short_is_named_among_others(chain, pictures):
    good, cut = pictures["grey.png"], pictures["grey.png"][:-200]
    read = pixels.reader(chain.outside(), (32, 32, 1))
    assert refused(read, opened(good, cut)).startswith(
        "Instance 1: the image cannot be used: truncated or corrupt"
    )
    assert refused(read, opened(cut)).startswith("The image cannot be used: truncated or corrupt")


def test_a_transparent_image_is_refused_as_it_is_for_records(chain):
    clear = Image.new("LA", (8, 8), (200, 30))
    sentence = refused(pixels.reader(chain.outside(), (32, 32, 1)), opened(encoded(clear)))
    reason = "it has transparent pixels; put it on a background first"
    assert sentence == f"The image cannot be used: {reason}."


def test_without_resizing_another_size_is_refused(pictures):
    chain = ops.Chain([ops.Decode(channels=1), ops.ToFloat()])
    read = pixels.reader(chain.outside(), (40, 28, 1))
    assert read(opened(pictures["grey.png"])).shape == (1, 40, 28, 1)
    assert "The image cannot be used" in refused(read, opened(pictures["colour.png"]))


def test_the_number_of_pixels_is_the_headers():
    (image,) = opened(encoded(waves(24, 40)))
    assert image.num_pixels == 960
    assert np.asarray(Image.open(io.BytesIO(image.data))).shape == (24, 40, 3)
