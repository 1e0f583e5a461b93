"""`records.division`: groups by the id, and the rule in words that JSON keeps."""

import json

import pytest

from tfpipe.errors import RequestError
from tfpipe.records.sources.assignment import assign
from tfpipe.records.sources.division import as_groups, divide, rule


def test_parts_and_rule_come_from_one_call():
    ids = [f"p{n // 4}_{n}" for n in range(80)]

    def patient(key):
        return key.split("_")[0]

    made = divide(ids, (0.5, 0.5), 3, group=patient, labels=[(n % 2,) for n in range(80)])
    labels = [(n % 2,) for n in range(80)]
    assert made.parts == assign(ids, (0.5, 0.5), 3, groups=list(map(patient, ids)), labels=labels)
    assert made.rule["grouped_by"].startswith("the function 'test_parts_and_rule")
    assert (made.rule["seed"], made.rule["stratified"]) == (3, True)
    given = divide(["a", "b"], None, 0, given=["train", "val"], given_by="folders")
    assert given == (["train", "val"], rule(None, 0, given_by="folders"))
    assert divide(["a"], None, 0, given_by="folders").rule["by"] == "fractions", "none are given"


def test_groups_come_from_functions_and_mappings():
    assert as_groups(None, ["a"]) is None
    assert as_groups(len, ["a", "bb"]) == ["1", "2"]
    assert as_groups({"a": "p", "b": "q"}, ["a", "b"]) == ["p", "q"]


@pytest.mark.parametrize("value", [None, "", True, 1.5])
def test_an_example_without_a_group_is_an_error(value):
    with pytest.raises(RequestError) as caught:
        as_groups(lambda key: value, ["a.png"])
    assert str(caught.value) == (
        f"Expected `group` to give a name or a whole number for 'a.png'. Received: group={value!r}"
    )


def test_the_rule_says_all_of_it_in_json():
    made = rule((0.9, 0.1), 5, given_by="lists", grouped_by="the column 'p'", stratified=True)
    assert json.loads(json.dumps(made)) == {
        "by": "fractions of train",
        "given_by": "lists",
        "fractions": {"train": 0.9, "val": 0.1},
        "seed": 5,
        "grouped_by": "the column 'p'",
        "stratified": True,
    }
    assert rule(None, 0)["fractions"] == {"train": 0.7, "val": 0.2, "test": 0.1}
    assert rule(None, 0)["by"] == "fractions"


def test_the_rule_of_given_splits_says_by_what():
    assert rule(None, 0, given_by="folders") == {
        "by": "given", "given_by": "folders", "grouped_by": None,
    }  # fmt: skip
    assert rule({"a": "train"}, 0)["given_by"] == "a mapping"
    assert rule(str.upper, 0)["given_by"] == "the function 'str.upper'"
