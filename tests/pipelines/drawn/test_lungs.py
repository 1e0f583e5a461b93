"""The drawn chests: the same for a seed, patients whole, and every finding to be seen."""

import numpy as np
import pytest

from pipelines.drawn.lungs import FINDINGS, draw, lungs


def test_the_seed_decides_and_a_patient_is_in_one_split():
    first, again, other = (list(lungs(seed, num_patients=40)) for seed in (0, 0, 1))
    assert all(np.array_equal(a["image"], b["image"]) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0]["image"], other[0]["image"])
    parts = {}
    for example in first:
        parts.setdefault(example["id"].split("_")[0], set()).add(example["split"])
    assert len(parts) == 40
    assert {len(names) for names in parts.values()} == {1}
    assert set.union(*parts.values()) == {"train", "val", "test"}


def test_each_finding_is_about_as_frequent_as_it_says():
    labels = np.stack([example["labels"] for example in lungs(0)])
    expected = 0.9 * np.array(list(FINDINGS.values()))
    np.testing.assert_allclose(labels.mean(0), expected, atol=0.07)


@pytest.mark.parametrize("finding", FINDINGS)
def test_a_finding_changes_the_picture_and_its_place_alone(finding):
    build, quiet = np.ones(3), np.random.default_rng(0)
    without = np.mean([draw(set(), build, quiet) for _ in range(30)], axis=0)
    shown = np.mean([draw({finding}, build, quiet) for _ in range(30)], axis=0)
    changed = np.abs(shown - without) > 8
    assert 0.003 < changed.mean() < 0.3
