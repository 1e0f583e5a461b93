"""`records.names`: names of datasets and classes."""

import pytest

from tfpipe.errors import RequestError
from tfpipe.records.sources.names import as_class_names, dataset_name, few, in_order


@pytest.mark.parametrize(
    ("path", "name"),
    [("data/xray", "xray"), ("a b-ü.csv", "a_b"), ("2017/", "data_2017"), ("日本", "data")],
)
def test_a_dataset_is_named_by_its_file_or_folder(path, name):
    assert dataset_name(None, path) == name


def test_a_relative_folder_has_a_name(tmp_path, monkeypatch):
    (tmp_path / "pets").mkdir()
    monkeypatch.chdir(tmp_path / "pets")
    assert dataset_name(None, ".") == "pets"


@pytest.mark.parametrize("name", ["", "a-b", "1a", "a/b", "é"])
def test_a_name_must_fit_into_file_names(name):
    with pytest.raises(RequestError) as caught:
        dataset_name(name, "x")
    assert str(caught.value) == (
        "Expected `name` to be a letter, then letters, digits or _, as in 'xray'. "
        f"Received: name={name!r}"
    )


def test_whole_numbers_are_sorted_by_value():
    assert in_order(["10", "9", "9", "2"]) == ["2", "9", "10"]
    assert in_order(["10", "9", "b", "B"]) == ["10", "9", "B", "b"]


@pytest.mark.parametrize(("class_names", "shown"), [(["a", "a"], "('a', 'a')"), ([], "()"),
                                                    ("a", "('a',)")])  # fmt: skip
def test_class_names_are_different_names(class_names, shown):
    with pytest.raises(RequestError) as caught:
        as_class_names(class_names, ["x"])
    assert str(caught.value) == (
        f"Expected `class_names` to be different names. Received: class_names={shown}"
    )


def test_few_names_stand_for_many():
    assert few(["a", "b"]) == "'a', 'b'"
    assert few([str(n) for n in range(9)], 2) == "'0', '1' and 7 more"


@pytest.mark.parametrize(("one", "other"), [("Cat", "cat"), ("1", "1.0"), ("01", "1")])
def test_two_spellings_of_a_class_are_told_unless_both_are_given(one, other):
    with pytest.raises(RequestError) as caught:
        as_class_names(None, ["b", other, one])
    assert str(caught.value) == (
        f"Expected classes with unlike names. Found: {min(one, other)!r} and {max(one, other)!r}. "
        "Mend the labels, or pass `class_names` if both are meant."
    )
    assert as_class_names([one, other], [other, one]) == (one, other)


def test_single_letters_may_be_upper_and_lower_case():
    assert as_class_names(None, ["a", "A", "b"]) == ("A", "a", "b")
