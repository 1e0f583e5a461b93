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
    assert indices("10.0", "-1.0", "9.0")[0] == ("-1.0", "9.0", "10.0")
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
        ("['a', 'Edema']", "a label is a list as Python prints it: \"['a', 'Edema']\". Pass "
                           '`separator="|"`, and as the column a function of the row: '
                           '`lambda row: "|".join(ast.literal_eval(row["..."]))`.'),
    ],
)  # fmt: skip
def test_a_wrong_label_is_named(cell, problem):
    with pytest.raises(DataError) as caught:
        indices("a", cell, class_names=["a", "Edema"], separator="|", empty="none")
    assert str(caught.value) == f"t.csv: line 3: {problem}"


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (["a", " a"], "expected labels of two or more classes, found only 'a'"),
        (["a", "NaN"], "a label is missing: 'NaN'. Leave such rows out, or pass `class_names`."),
        ([str(n / 2) for n in range(20)],
         "expected labels of classes, found 20 different ones in 20 rows: '0.0', '0.5', '1.0' and "
         "17 more. Name the column of the classes, or pass `class_names` if these are."),
    ],
)  # fmt: skip
def test_what_does_not_look_like_classes_is_refused_unless_it_is_named(cells, problem):
    with pytest.raises(DataError) as caught:
        indices(*cells)
    assert str(caught.value) == f"t.csv: {problem}"
    names = sorted({cell.strip() for cell in cells})
    assert indices(*cells, class_names=names)[0] == tuple(names)


def test_few_rows_and_halves_may_have_classes_of_their_own():
    assert len(indices(*map(str, range(19)))[0]) == 19
    assert len(indices(*[str(n // 2) for n in range(40)])[0]) == 20


def test_an_empty_cell_among_several_labels_has_its_way_out():
    with pytest.raises(DataError) as caught:
        indices("a|b", "", separator="|")
    assert str(caught.value) == (
        "t.csv: line 3: a label is empty: ''; if it stands for none of the classes, pass `empty=''`"
    )


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


def test_a_name_in_brackets_is_no_list():
    assert indices("[a]", "b")[0] == ("[a]", "b")
