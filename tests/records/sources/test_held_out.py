"""A val split out of train, where the data have none."""

import numpy as np
import pytest

from tfpipe.errors import RequestError
from tfpipe.records import arrays, image_folder, with_val


def given(*parts, **options):
    split = {f"{n:06d}": part for n, part in enumerate(parts)}
    pixels = np.zeros((len(parts), 8, 8), np.uint8)
    return arrays(pixels, np.arange(len(parts)) % 2, split=split, **options)


def sides(source):
    return {example["id"]: example["split"] for example in source}


def test_val_is_drawn_from_train_alone_and_is_as_large_as_asked():
    source = given(*["train"] * 400, *["test"] * 40)
    found = sides(with_val(source, 0.25, seed=3))
    assert sum(part == "val" for part in found.values()) == pytest.approx(100, abs=25)
    before = sides(source)
    assert {key for key, part in before.items() if part == "test"} == {
        key for key, part in found.items() if part == "test"
    }
    assert sides(with_val(source, 0.25, seed=3)) == found != sides(with_val(source, 0.25, seed=4))


def test_it_draws_what_the_source_draws_where_it_divides_train_itself(tmp_path):
    for part in ("train", "test"):
        for name in ("a", "b"):
            (tmp_path / part / name).mkdir(parents=True)
            for n in range(20):
                (tmp_path / part / name / f"{n}.png").write_bytes(b"...")
    ours = with_val(image_folder(tmp_path, seed=5), 0.3, seed=5)
    theirs = image_folder(tmp_path, split=(0.7, 0.3), seed=5)
    assert sides(ours) == sides(theirs)
    assert ours.rule == theirs.rule


def test_a_source_with_val_is_left_alone():
    source = given("train", "val", "test")
    assert with_val(source) is source


def test_wrong_fractions_and_groups_are_refused():
    with pytest.raises(RequestError) as caught:
        with_val(given("train", "test"), 1.0)
    assert str(caught.value) == (
        "Expected `fraction` to be above 0 and below 1. Received: fraction=1.0"
    )
    with pytest.raises(RequestError) as caught:
        with_val(given("train", "test", group=["p", "q"]))
    assert str(caught.value).startswith("Expected a source without groups, which this could divide")
