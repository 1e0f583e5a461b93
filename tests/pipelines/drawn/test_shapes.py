"""The drawn shapes: the same for a seed, and told apart by form alone."""

import numpy as np
import pytest

from pipelines.drawn import shapes


def test_the_seed_decides_and_every_kind_is_as_frequent():
    first, again, other = (list(shapes.shapes(seed, number=100)) for seed in (0, 0, 1))
    assert all(np.array_equal(a["image"], b["image"]) for a, b in zip(first, again, strict=True))
    assert not all(
        np.array_equal(a["image"], b["image"]) for a, b in zip(first, other, strict=True)
    )
    assert np.bincount([example["label"] for example in first]).tolist() == [10] * 10
    assert {example["split"] for example in first} == {"train", "val", "test"}


@pytest.mark.parametrize("kind", shapes.KINDS)
def test_a_shape_is_whole_and_not_the_ground(kind):
    for seed in range(20):
        mask = shapes._mask(kind, np.random.default_rng(seed))
        assert 0.02 < mask.mean() < 0.45
        assert mask[[0, -1]].max() == mask[:, [0, -1]].max() == 0  # it does not touch the edge


def test_no_colour_tells_the_kind():
    random = np.random.default_rng(0)
    means = [
        np.mean([shapes.draw(kind, random).mean((0, 1)) for _ in range(200)], axis=0)
        for kind in shapes.KINDS
    ]
    assert np.ptp(means, axis=0).max() < 30  # of 255; the means of 200 colours differ by chance
