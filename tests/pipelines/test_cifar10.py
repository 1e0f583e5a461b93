"""The job on small colour images: end to end on a folder, and the schedule that it says."""

import html
import json

import cv2
import keras
import numpy as np
import pytest

from pipelines import cifar10
from pipelines.drawn import shapes
from tfpipe import ops, pipeline, records

TINY = ["--depth", "8", "--cycle", "1", "--cycles", "2", "--batch-size", "16"]


def run_here(*arguments):
    parts = cifar10.load_source, cifar10.make, cifar10.Flags
    return pipeline.run(*parts, doc=cifar10.__doc__, arguments=arguments)


def class_folders(root, per_class):
    random = np.random.default_rng(per_class)
    for kind in shapes.KINDS[:4]:
        (root / kind).mkdir(parents=True)
        for number in range(per_class):
            image = cv2.resize(shapes.draw(kind, random), (40, 36))
            assert cv2.imwrite(str(root / kind / f"{number}.png"), image)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a tiny run."""
    root = tmp_path_factory.mktemp("cifar10")
    class_folders(root / "data" / "train", per_class=20)
    class_folders(root / "data" / "test", per_class=8)
    assert run_here("--data", str(root / "data"), "--out", str(root / "out"), *TINY) == 0
    return root / "out"


def test_what_is_given_as_test_is_the_test_and_val_comes_out_of_train(finished):
    manifest = records.load(finished / "records")
    counts = {name: part.num_examples for name, part in manifest.splits.items()}
    assert counts["test"] == 32
    assert counts["train"] + counts["val"] == 80
    assert 0 < counts["val"] < 20
    report = json.loads((finished / "bundle" / "report.json").read_bytes())
    assert report["reference"]["num_examples"] == 32
    assert report["reference"]["score_name"] == "accuracy"


def test_that_the_ranges_are_of_few_images_is_said(finished):
    train = records.load(finished / "records").splits["train"].num_examples
    assert train < 100
    for name in ("report.html", "model_card.md"):
        text = html.unescape((finished / "bundle" / name).read_text(encoding="utf-8"))
        assert (
            "Where ranges of int8 and int16x8 were taken from examples, it was from all "
            f"{train} of the split 'train'; 100 would be few." in text
        )


def test_the_learning_rate_starts_again_after_each_cycle(finished):
    model = keras.models.load_model(finished / "model.keras")
    manifest = records.load(finished / "records")
    steps = -(-manifest.splits["train"].num_examples // 16)
    rate = model.optimizer._learning_rate
    found = [float(rate(step)) for step in (0, steps - 1, steps, 2 * steps, 3 * steps - 1)]
    assert found[0] == found[2] > found[3] > found[4]
    assert found[1] < 0.15 * found[0]
    assert found[3] == pytest.approx(found[0] / 2, rel=1e-5)  # the second cycle's middle
    history = json.loads((finished / "model.history.json").read_bytes())
    assert len(history["loss"]) == 3


def test_training_mixes_and_the_files_do_not(finished):
    chain = ops.Chain.from_json(finished / "bundle" / "chain.json")
    kinds = [type(op).__name__ for op in chain.ops]
    assert kinds[-1] == "MixUp"
    assert {"RandomFlip", "RandomAffine"} < set(kinds)
    kept = {type(op).__name__ for op in (*chain.outside().ops, *chain.inside().ops)}
    assert kept == {"Decode", "Resize", "ToFloat", "Normalize"}


def test_another_layout_is_answered_and_leaves_no_trace(tmp_path, capfd):
    root = tmp_path / "data"
    for name in ("images/a.png", "masks/a.png"):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_bytes(b"x")
    assert run_here("--data", str(root), "--out", str(tmp_path / "out")) == 2
    assert capfd.readouterr() == (
        "",
        f"Expected a folder for each of two or more classes in {str(root)!r}. Found: 'images/', "
        "'masks/'. For images and their masks use `mask_folder`.\n",
    )
    assert not (tmp_path / "out").exists()


def test_without_a_test_split_the_files_are_scored_on_val(tmp_path, one_format):
    for number, part in ((3, "train"), (2, "val")):
        class_folders(tmp_path / "data" / part, per_class=number)
    out = tmp_path / "out"
    assert run_here("--data", str(tmp_path / "data"), "--out", str(out), *TINY) == 0
    report = json.loads((out / "bundle" / "report.json").read_bytes())
    assert report["reference"]["num_examples"] == 8


@pytest.mark.slow
def test_drawn_shapes_are_told_apart(tmp_path, capsys):
    assert run_here("--out", str(tmp_path / "out")) == 0
    report = json.loads((tmp_path / "out" / "bundle" / "report.json").read_bytes())
    assert report["reference"]["score"] >= 0.85
    assert max(file["score_lost"] for file in report["files"]) <= 0.02
    assert "The shapes are drawn" in capsys.readouterr().out
