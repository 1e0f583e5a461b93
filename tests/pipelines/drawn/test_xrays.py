"""The drawn X-rays: the same for a seed, and haze in the lungs is all that tells the classes."""

import numpy as np

from pipelines.drawn.xrays import CLASSES, LUNGS, SIZE_PX, draw, xrays


def test_the_seed_decides_and_the_classes_are_even():
    first, again, other = (list(xrays(seed, number=40)) for seed in (0, 0, 1))
    assert all(np.array_equal(a["image"], b["image"]) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0]["image"], other[0]["image"])
    for split, number in (("train", 16), ("val", 4)):
        labels = [example["label"] for example in first if example["split"] == split]
        assert [labels.count(label) for label in range(len(CLASSES))] == [number] * 2


def test_haze_is_in_the_lungs_alone():
    many = [
        np.mean([draw(hazy, np.random.default_rng(n)) for n in range(60)], axis=0)
        for hazy in (False, True)
    ]
    rows, columns = np.nonzero(many[1] - many[0] > 10)
    assert 0.02 < len(rows) / SIZE_PX**2 < 0.3
    away = np.min([np.abs(columns / SIZE_PX - middle) for middle in LUNGS], axis=0)
    assert away.max() < 0.2
