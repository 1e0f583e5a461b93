"""Images of different sizes in one batch: a sentence that names two of them, and what to do."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfpipe import ops, records
from tfpipe.errors import RequestError
from tfpipe.records.reading import batches

NARROW = ops.Chain([ops.Decode(1), ops.ToFloat()])
SENTENCE = (
    "Expected images of one size in a batch. Received: 5x9 ('b/1.png') and 8x6 ('b/2.png'). Add "
    "`ops.Resize((height, width))` to the chain."
)


def folder(root, *, odd=True, exif=1):
    """Two classes of 8x6 pixels; one is of 5x9, and one turned by its EXIF, if asked for."""
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for n in range(3):
            shape = (5, 9) if odd and (name, n) == ("b", 1) else (8, 6)
            pixels = np.random.default_rng(n).integers(0, 256, shape, np.uint8)
            tag = Image.Exif()
            tag[0x0112] = exif if n == 2 else 1
            suffix = "jpg" if exif > 1 else "png"
            Image.fromarray(pixels).save(root / name / f"{n}.{suffix}", exif=tag)
    source = records.image_folder(root, split={"train": 1.0}, name="few")
    return records.write(source, root.with_name("records"))


@pytest.mark.parametrize("prepare", [None, NARROW])
@pytest.mark.parametrize("cache", [False, True])
def test_two_sizes_in_a_batch(tmp_path, prepare, cache):
    manifest = folder(tmp_path / "data")
    with pytest.raises(RequestError) as caught:
        records.read(manifest, "train", prepare, batch_size=2, cache=cache)
    assert str(caught.value) == SENTENCE


def test_images_that_exif_turns(tmp_path):
    manifest = folder(tmp_path / "data", odd=False, exif=6)
    with pytest.raises(RequestError, match=r"Received: (8x6|6x8) .* and (8x6|6x8) "):
        records.read(manifest, "train", batch_size=4)


def test_two_sizes_that_come_late(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "PEEK", 1)
    dataset = records.read(folder(tmp_path / "data"), "train", batch_size=6)
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        list(dataset)
    said = "[5 9] [b/1.png] [and] [8 6] [b/2.png] [Add `ops.Resize((height, width))` to the chain.]"
    assert f"[Expected images of one size in a batch. Received:] {said}" in caught.value.message


def test_one_by_one_and_resized_they_are_read(tmp_path):
    manifest = folder(tmp_path / "data")
    shapes = {x.shape[1:3].as_list()[0] for x, _ in records.read(manifest, "train", batch_size=1)}
    assert shapes == {8, 5}
    resized = ops.Chain([ops.Decode(1), ops.Resize((4, 4))])
    assert [x.shape[0] for x, _ in records.read(manifest, "train", resized, batch_size=4)] == [4, 2]


def test_images_of_one_size_that_only_the_data_knows(tmp_path):
    manifest = folder(tmp_path / "data", odd=False)
    dataset = records.read(manifest, "train", NARROW, batch_size=4, shuffle_seed=0)
    for _ in range(2):
        assert [x.shape for x, _ in dataset] == [(4, 8, 6, 1), (2, 8, 6, 1)]
