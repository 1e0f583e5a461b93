"""`records.series_csv`: windows of numeric series."""

import collections

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfpipe import records
from tfpipe.errors import DataError, RequestError


def source_of(path, **arguments):
    given = {"columns": ["x", "y"], "label_column": "kind", "window": 3, **arguments}
    return records.series_csv(path, **given)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{n},{-n},{'walk' if n > 4 else 'rest'},{'ab'[n % 2]}\n" for n in range(10)]
    path.write_text("x,y,kind,who\n" + "".join(rows))
    return path


def by_id(source):
    return {example["id"]: example for example in source}


def test_windows_follow_each_other(table):
    source = source_of(table)
    examples = by_id(source)
    assert examples.keys() == {"t.csv:2", "t.csv:5", "t.csv:8"}
    second = examples["t.csv:5"]
    assert second["sequence"].tolist() == [[3, -3], [4, -4], [5, -5]]
    assert second["sequence"].dtype == np.float32
    assert [examples[key]["label"] for key in sorted(examples)] == [0, 1, 1], "of the last row"
    assert source.class_names == ("rest", "walk")
    assert source.features["sequence"].shape == (3, 2)


def test_series_are_told_apart_by_group_though_their_rows_alternate(table):
    examples = by_id(source_of(table, columns=["x"], stride=1, group="who"))
    assert {key: e["sequence"].ravel().tolist() for key, e in examples.items()} == {
        "t.csv:2": [0, 2, 4], "t.csv:4": [2, 4, 6], "t.csv:6": [4, 6, 8],
        "t.csv:3": [1, 3, 5], "t.csv:5": [3, 5, 7], "t.csv:7": [5, 7, 9],
    }  # fmt: skip


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=30),
    st.integers(1, 5),
    st.integers(1, 6),
)
def test_windows_are_those_of_sliding_window_view(tmp_path_factory, who, window, stride):
    path = tmp_path_factory.mktemp("series") / "t.csv"
    path.write_text("x,kind,who\n" + "".join(f"{n},k,{w}\n" for n, w in enumerate(who)))
    expected = []
    for each in set(who):
        series = np.array([n for n, w in enumerate(who) if w == each])
        if len(series) >= window:
            views = np.lib.stride_tricks.sliding_window_view(series, window)
            expected += views[::stride].tolist()
    if not expected:
        return
    one = {"class_names": ("k",), "group": "who"}
    source = source_of(path, columns=["x"], window=window, stride=stride, **one)
    assert sorted(e["sequence"].ravel().tolist() for e in source) == sorted(expected)
    sides = collections.defaultdict(set)
    for example in source:
        sides[who[int(example["sequence"][0, 0])]].add(example["split"])
    assert all(len(side) == 1 for side in sides.values())


def test_windows_of_a_class_are_divided_by_the_fractions(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("x,kind\n" + "".join(f"{n},{n // 4 % 2}\n" for n in range(160)))
    source = source_of(path, columns=["x"], window=4, split=(0.5, 0.5), stratify=True)
    counts = collections.Counter((e["label"], e["split"]) for e in source)
    assert set(counts.values()) == {10}


# Targets


def forecast(path, **arguments):
    return source_of(path, **{"label_column": None, "target": "x", "horizon": 1, **arguments})


def test_a_column_is_a_target_and_a_list_of_columns_are_several(table):
    single = by_id(forecast(table))
    assert {key: e["target"] for key, e in single.items()} == {"t.csv:2": 3.0, "t.csv:6": 7.0}
    assert single["t.csv:6"]["sequence"].tolist() == [[4, -4], [5, -5], [6, -6]]
    source = forecast(table, target=["y", "x"])
    assert {key: e["target"].tolist() for key, e in by_id(source).items()} == {
        "t.csv:2": [-3, 3],
        "t.csv:6": [-7, 7],
    }
    assert all(e["target"].dtype == np.float32 for e in source)
    assert source.features["target"] == records.Feature("target", (2,))
    assert (source.class_names, forecast(table).features["target"].shape) == ((), ())


def test_a_label_can_be_forecast_too(table):
    source = source_of(table, window=2, horizon=2)
    assert {key: e["label"] for key, e in by_id(source).items()} == {"t.csv:2": 0, "t.csv:6": 1}


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from("ab"), min_size=1, max_size=30),
    st.integers(1, 4),
    st.integers(0, 4),
    st.integers(1, 6),
)
def test_targets_are_those_of_sliding_window_view(tmp_path_factory, who, window, horizon, stride):
    path = tmp_path_factory.mktemp("series") / "t.csv"
    path.write_text("x,z,who\n" + "".join(f"{n},{n * n},{w}\n" for n, w in enumerate(who)))
    expected = []
    for each in set(who):
        series = np.array([n for n, w in enumerate(who) if w == each])
        if len(series) >= window + horizon:
            views = np.lib.stride_tricks.sliding_window_view(series, window + horizon)[::stride]
            expected += [(view[:window].tolist(), view[-1] ** 2) for view in views]
    if not expected:
        return
    source = forecast(
        path, columns=["x"], target="z", window=window, horizon=horizon, stride=stride, group="who"
    )
    found = [(e["sequence"].ravel().tolist(), e["target"]) for e in source]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"label_column": "kind"},
            "Expected either `label_column`, for classes, or `target`, for numbers. "
            "Received: label_column='kind', target='x'",
        ),
        (
            {"target": None},
            "Expected either `label_column`, for classes, or `target`, for numbers. "
            "Received: label_column=None, target=None",
        ),
        (
            {"stratify": True},
            "Expected `class_names` and `stratify` only with classes, not with a `target`. "
            "Received: class_names=None, stratify=True",
        ),
        (
            {"class_names": ["a"]},
            "Expected `class_names` and `stratify` only with classes, not with a `target`. "
            "Received: class_names=['a'], stratify=False",
        ),
        ({"target": []}, "Expected `target` to list one column or more. Received: target=[]"),
        (
            {"stride": 3},
            "Expected `group` where windows overlap, each up to the row of its label or target: "
            "their common rows would be in train and in test. Received: window=3, horizon=1, "
            "stride=3. Pass `group`, a stride of at least 4, or each window's `split`.",
        ),
    ],
)
def test_what_does_not_go_with_a_target_is_an_error(table, arguments, sentence):
    with pytest.raises(RequestError) as caught:
        forecast(table, **arguments)
    assert str(caught.value) == sentence


# What is wrong in a table


MEND = ". Fill it in, or leave such rows out."


@pytest.mark.parametrize(
    ("cell", "shown"),
    [("", f"''{MEND}"), ("n/a", f"'n/a'{MEND}"), ("nan", f"'nan'{MEND}"), ("?", f"'?'{MEND}"),
     ("1e39", "'1e39'"), ("-inf", "'-inf'"), ("2020-01-01", "'2020-01-01'")],
)  # fmt: skip
def test_a_cell_that_is_no_number_is_an_error(table, cell, shown):
    table.write_text(f"x,y,kind\n1,2,rest\n3,{cell},walk\n")
    with pytest.raises(DataError) as caught:
        source_of(table)
    assert str(caught.value) == (
        f"{table}: line 3: expected a number in the column 'y', found {shown}"
    )


@pytest.mark.parametrize("split", [None, (0.9, 0.1)])
def test_windows_that_overlap_need_a_group(table, split):
    with pytest.raises(RequestError) as caught:
        source_of(table, stride=2, split=split)
    assert str(caught.value) == (
        "Expected `group` where windows overlap, each up to the row of its label or target: their "
        "common rows would be in train and in test. Received: window=3, horizon=0, stride=2. Pass "
        "`group`, a stride of at least 3, or each window's `split`."
    )
    early = source_of(table, stride=2, split=lambda key: "train" if key < "t.csv:5" else "test")
    assert sorted(e["split"] for e in early) == ["test", "test", "train", "train"]


def test_series_that_fill_no_window_are_an_error(table):
    with pytest.raises(RequestError) as caught:
        source_of(table, window=6, group="who")
    assert str(caught.value) == (
        f"Expected a series of at least 6 rows (`window` and `horizon`) in {str(table)!r}. All its "
        "2 series are shorter."
    )


@pytest.mark.parametrize("columns", ["x", []])
def test_columns_are_a_list(table, columns):
    with pytest.raises(RequestError) as caught:
        source_of(table, columns=columns)
    assert str(caught.value) == (
        f"Expected `columns` to list one column or more. Received: columns={columns!r}"
    )
    with pytest.raises(RequestError) as caught:
        source_of(table, columns=["x", "z"])
    assert str(caught.value) == (
        f"{table}: Expected `columns` to be one of 'x', 'y', 'kind', 'who'. Received: columns='z'"
    )


def test_a_table_whose_newest_row_is_the_first_is_an_error(tmp_path):
    path = tmp_path / "stock.csv"
    path.write_text("date,close\n" + "".join(f"2024-05-{20 - n},{n}\n" for n in range(9)))
    with pytest.raises(DataError) as caught:
        records.series_csv(path, columns=["close"], target="close", window=2, horizon=1)
    assert str(caught.value).startswith(
        f"{path}: line 3: expected rows in the order of time, found '2024-05-19' below "
        "'2024-05-20' in the column 'date'."
    )


@pytest.mark.parametrize(
    ("cell", "advice"),
    [("13,6", "Write it as 13.6, or 136 if that is meant."),
     ("", "Fill it in, or leave such rows out.")],
)  # fmt: skip
def test_numbers_of_other_countries_and_missing_ones(tmp_path, cell, advice):
    path = tmp_path / "t.csv"
    path.write_text(f"x;y\n1;2\n{cell};2\n")
    with pytest.raises(DataError) as caught:
        records.series_csv(path, columns=["x"], target="y", window=1, horizon=1)
    assert str(caught.value) == (
        f"{path}: line 3: expected a number in the column 'x', found {cell!r}. {advice}"
    )
