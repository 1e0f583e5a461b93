"""A finding is a sentence and a row of a table."""

from tfpipe.drift.finding import COLUMNS, Finding


def test_of_a_class_everything_is_told():
    finding = Finding("prediction/class", 0.1, 0.42, "Fisher", 3e-9, 0.21, 0.534, True, "covid")
    assert str(finding) == (
        "prediction/class (covid) is 0.42, in the profile 0.1: Fisher, p 3.0e-09, "
        "Jensen-Shannon 0.210, PSI 0.534"
    )
    row = ["prediction/class (covid)", "0.1", "0.42", "Fisher", "3.0e-09", "0.210", "0.534", "yes"]
    assert finding.cells() == row
    assert len(COLUMNS) == len(row)


def test_where_there_are_no_histograms_there_are_no_distances():
    finding = Finding("accuracy", 0.9, 0.8, "Fisher", 0.2)
    assert str(finding) == "accuracy is 0.8, in the profile 0.9: Fisher, p 2.0e-01"
    assert finding.cells() == ["accuracy", "0.9", "0.8", "Fisher", "2.0e-01", "–", "–", "no"]
