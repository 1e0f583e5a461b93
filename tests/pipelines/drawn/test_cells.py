"""Drawn smears: every cell has a box that fits it, and the seed decides everything."""

import numpy as np

from pipelines.drawn import cells

RNG = np.random.default_rng(0)


def test_a_box_holds_its_cell():
    """White cells are the only ones with dark purple inside: it is in their boxes and nowhere."""
    for _ in range(10):
        image, boxes, classes = cells.draw(RNG)
        assert (image.shape, image.dtype) == ((120, 160, 3), np.uint8)
        dark = (image[..., 1] < 95) & (image[..., 2] > 120)
        inside = np.zeros_like(dark)
        for y1, x1, y2, x2 in boxes[classes != 1]:  # platelets are purple, too
            rows, columns = (np.rint([y1 * 120, y2 * 120]), np.rint([x1 * 160, x2 * 160]))
            inside[slice(*rows.astype(int)), slice(*columns.astype(int))] = True
        assert dark[inside].mean() > 0.05 or not (classes == 2).any()
        assert dark[~inside].mean() < 0.01


def test_boxes_are_as_large_as_their_class():
    sizes = {0: [], 1: [], 2: []}
    for _ in range(20):
        _, boxes, classes = cells.draw(RNG)
        assert boxes.dtype == np.float32
        assert (boxes[:, :2] < boxes[:, 2:]).all()
        assert (boxes >= 0).all()
        assert (boxes <= 1).all()
        whole = ((boxes > 0.01) & (boxes < 0.99)).all(1)  # not cut off by the picture's edge
        for box, label in zip(boxes[whole], classes[whole], strict=True):
            sizes[int(label)].append((box[2] - box[0]) * 120)
    for label, (least, most) in {0: (9.9, 15.1), 1: (19.9, 29.1), 2: (33.9, 45.1)}.items():
        assert least <= min(sizes[label])
        assert max(sizes[label]) <= most


def test_the_seed_decides_and_the_splits_are_as_large_as_they_say(monkeypatch):
    monkeypatch.setattr(cells, "NUMBERS", {"train": 3, "val": 1, "test": 2})
    one, same, other = (list(cells.cells(seed)) for seed in (0, 0, 1))
    assert [example["split"] for example in one] == [*["train"] * 3, "val", *["test"] * 2]
    np.testing.assert_array_equal(one[2]["image"], same[2]["image"])
    assert (one[2]["image"] != other[2]["image"]).any()
    assert cells.cells(0).class_names == ("platelet", "red cell", "white cell")
