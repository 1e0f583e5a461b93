"""labels.txt: what a person reads beside a file."""

from tfpipe import export


def test_labels_are_lines_in_the_order_of_the_scores(tmp_path):
    path = export.to_labels(["zero", "eins", "två"], tmp_path / "labels.txt")
    assert path.read_text(encoding="utf-8") == "zero\neins\ntvå\n"
