"""A pipeline: wrong data leave no trace, records are written once, the bundle is told."""

import dataclasses

import numpy as np
import pytest

from tfpipe import export, pipeline, records, report
from tfpipe.cli import flag
from tfpipe.errors import RequestError
from tfpipe.train import strategy


@dataclasses.dataclass(frozen=True)
class Flags:
    out: str = flag("out/x", "the folder")
    seed: int = flag(0, "any")
    overwrite: bool = flag(False, "begin anew")


@pytest.fixture
def parts(digits, trained, prepare):
    """A source and a `make` that trains nothing, and how often each was called."""
    called = []

    def load_source(flags):
        called.append("source")
        if flags.seed == 9:
            raise RequestError("No such data.")
        return records.arrays(digits[0][:200], digits[1][:200], seed=flags.seed, name="digits")

    def make(flags, manifest, out):
        called.append("make")
        notes = {
            "Before": "much",
            "Long": "x" * 200,
            "Lines": "a\nb",
            "Table": report.text_table(["kind"], [["crack"]]),
            "Picture": report.curves({"loss": [1.0]}),
        }
        options = {"formats": ["float32"], "notes": notes}
        return export.bundle(trained, manifest, out / "bundle", prepare=prepare, **options)

    return load_source, make, called


def run(parts, *arguments):
    load_source, make, _ = parts
    return pipeline.run(load_source, make, Flags, doc="A job.", arguments=list(arguments))


def test_it_ends_in_a_bundle_and_tells_it_again_when_it_is_finished(parts, tmp_path, capfd):
    out = tmp_path / "out"
    assert run(parts, "--out", str(out)) == 0
    first = capfd.readouterr().out.splitlines()
    bundle = export.load_bundle(out / "bundle")
    assert first[:-6] == str(bundle).splitlines()
    # Longer notes are for the page.
    assert first[-6:-1] == ["Before: much", "Table:", "kind", "-----", "crack"]
    assert first[-1].endswith(f". Pictures: {out}/bundle/report.html")
    assert (
        records.load(out / "records").splits["test"].num_examples
        == (bundle.report.reference["num_examples"])
    )
    assert run(parts, "--out", str(out)) == 0
    again = capfd.readouterr().out.splitlines()
    assert again[0] == f"{out} holds this run, finished; --overwrite runs it again."
    assert again[1:-1] == first[:-1]
    assert parts[2] == ["source", "make", "source"]


def test_wrong_data_leave_no_trace(parts, tmp_path, capfd):
    assert run(parts, "--out", str(tmp_path / "out"), "--seed", "9") == 2
    assert capfd.readouterr() == ("", "No such data.\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("num_test", "found"), [(0, "train 20"), (1, "test 1, train 15, val 4")])
def test_too_few_examples_are_told_before_the_training(
    parts, digits, tmp_path, capfd, num_test, found
):
    def load_source(flags):
        sides = ["train"] * 15 + ["val" if num_test else "train"] * 4 + ["test"] * num_test
        split = {f"{n:06d}": side for n, side in enumerate([*sides, "train"][:20])}
        return records.arrays(digits[0][:20], digits[1][:20], split=split)

    assert run((load_source, *parts[1:]), "--out", str(tmp_path / "out")) == 2
    assert capfd.readouterr().err.splitlines()[-1] == (
        "Expected examples to train on ('train'), others to watch the training with ('val'), and "
        f"two or more to score the files on ({'test' if num_test else 'val'!r}). Found: {found}. "
        "Add examples, or divide them yourself."
    )
    assert parts[2] == []


def shown(parts, digits, out, *, held_back):
    """What is told of records of which one split has no threes."""

    def load_source(flags):
        labels = digits[1][:300]
        sides = np.repeat(["train", "val", "test"], 100)
        sides[(labels == 3) & (sides == held_back)] = "val"
        split = {f"{n:06d}": side for n, side in enumerate(sides.tolist())}
        return records.arrays(digits[0][:300], labels, split=split, name="digits")

    return run((load_source, *parts[1:]), "--out", str(out))


@pytest.mark.parametrize(
    ("held_back", "told"),
    [
        ("train", "No example of '3' is in 'train': a model cannot learn that."),
        ("test", "No example of '3' is in 'test': the scores say nothing of that."),
    ],
)
def test_classes_that_are_not_learnt_or_not_scored_are_told(
    parts, digits, tmp_path, capfd, held_back, told
):
    assert shown(parts, digits, tmp_path / "out", held_back=held_back) == 0
    assert told in capfd.readouterr().err.splitlines()


def test_the_precisions_on_offer_are_those_of_training():
    # They are spelt out, so that --help need not wait for TensorFlow.
    assert pipeline.PRECISIONS == strategy.PRECISIONS
