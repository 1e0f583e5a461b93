"""`records.labels`: labels checked against the classes, and numbered."""

import pytest

from tfpipe.errors import DataError, RequestError
from tfpipe.records.sources.labels import as_indices


def indices(*cells, class_names=None, **arguments):
    lines = range(2, 2 + len(cells))
    return as_indices("t.csv", lines, cells, class_names=class_names, **arguments)


def test_one_label_each():
    assert indices("b", " a", "b ") == (("a", "b"), [(1,), (0,), (1,)])
    assert indices("10", "9") == (("9", "10"), [(1,), (0,)])
    assert indices("b", class_names=["b", "a"]) == (("b", "a"), [(0,)])


def test_several_labels_each():
    found = indices("b|a", "c", "none", "a | a", separator="|", empty="none")
    assert found == (("a", "b", "c"), [(0, 1), (2,), (), (0,)])
    assert indices("", "a", separator=";", empty="") == (("a",), [(), (0,)])


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("", "a label is empty: ''"),
        ("a||b", "a label is empty: 'a||b'"),
        ("a|none", "'none' stands beside other labels: 'a|none'"),
        ("edama", "Expected `label` to be one of 'a', 'Edema'. Received: label='edama'. "
                  "Did you mean 'Edema'?"),
    ],
)  # fmt: skip
def test_a_wrong_label_is_named(cell, problem):
    with pytest.raises(DataError) as caught:
        indices("a", cell, class_names=["a", "Edema"], separator="|", empty="none")
    assert str(caught.value) == f"t.csv: line 3: {problem}"


def test_arguments_that_do_not_fit_are_an_error():
    with pytest.raises(RequestError) as caught:
        indices("a", empty="none")
    assert str(caught.value) == (
        "Expected `empty` only where a row has several labels (`separator`). Received: empty='none'"
    )
    with pytest.raises(RequestError) as caught:
        indices("a", separator="")
    assert str(caught.value) == (
        "Expected `separator` to be a character or more. Received: separator=''"
    )
