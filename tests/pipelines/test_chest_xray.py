"""The job on chests: end to end on a folder like NIH's, and as good as promised on real images."""

import csv
import functools
import json
import re

import cv2
import keras
import numpy as np
import pytest

from pipelines import chest_xray
from pipelines.drawn.lungs import FINDINGS, draw
from tfpipe import export, models, pipeline, records

TINY = ["--size-px", "32", "--epochs", "1", "--batch-size", "16"]


def run_here(*arguments):
    parts = chest_xray.load_source, chest_xray.make, chest_xray.Flags
    return pipeline.run(*parts, doc=chest_xray.__doc__, arguments=arguments)


def nih_folder(root, num_patients=50):
    """Like NIH's download: a table, the two lists, and images in numbered folders."""
    rows, random = [], np.random.default_rng(0)
    for patient in range(num_patients):
        for number in range(2):
            has = [name for name in FINDINGS if random.random() < 0.4]
            image, part = (
                f"{patient:08d}_{number:03d}.png",
                root / f"images_{1 + number:03d}/images",
            )
            part.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(part / image), draw(set(has), np.ones(3), random))
            rows.append((image, "|".join(has) or "No Finding", number, patient))
    with open(root / "Data_Entry_2017_v2020.csv", "w", newline="") as file:
        head = ("Image Index", "Finding Labels", "Follow-up #", "Patient ID")
        csv.writer(file).writerows([head, *rows])
    for name, first in (("test", 0), ("train_val", 1)):
        listed = [row[0] for row in rows if bool(row[3] % 5) == first]
        (root / f"{name}_list.txt").write_text("\n".join(listed))
    return root


def small_model(input_shape, num_classes, *, activation, weights):
    assert weights is None
    return models.residual(input_shape, num_classes, activation=activation, depth=8, width=4)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a tiny run with a small model in ResNet50's place, and what it printed."""
    root = tmp_path_factory.mktemp("chest")
    folder = nih_folder(root / "nih")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "resnet50", small_model)
        both = functools.partial(export.bundle, formats=("float32", "int8"))
        patch.setattr(export, "bundle", both)
        said = []
        patch.setattr("builtins.print", lambda *parts, **_: said.append(" ".join(map(str, parts))))
        out = root / "out"
        assert run_here("--data", str(folder), "--split", "official", "--out", str(out), *TINY) == 0
    return out, "\n".join(said)


def test_every_disease_has_a_row_and_a_threshold_or_says_why_not(finished):
    out, said = finished
    report = json.loads((out / "bundle" / "report.json").read_bytes())
    labels = report["reference"]["labels"]
    assert [row["label"] for row in labels["rows"]] == list(records.NIH_CLASSES)
    assert labels["chosen_on"] == "val"
    thresholds = json.loads((out / "bundle" / "thresholds.json").read_bytes())["thresholds"]
    for row in labels["rows"]:
        drawn = row["label"] in FINDINGS
        assert (row["low"] is not None) == drawn
        assert thresholds[row["label"]] == row["threshold"]
        line = re.findall(rf"^{row['label']} .*$", said, re.MULTILINE)[-1]  # of the last table
        assert ("no positives" in line) != drawn


def test_the_official_lists_make_the_test_split_and_patients_are_whole(finished):
    manifest = records.load(finished[0] / "records")
    assert manifest.splits["test"].num_examples == 20
    assert manifest.rule["grouped_by"] == "the column 'Patient ID'"
    assert manifest.rule["given_by"] == "lists"


def test_int8_or_what_stands_for_it_is_within_the_bar(finished):
    report = json.loads((finished[0] / "bundle" / "report.json").read_bytes())
    assert report["reference"]["require"] == {"score_lost": 0.01}
    assert len(report["files"]) == 2
    assert max(file["score_lost"] for file in report["files"]) <= 0.01


def test_it_is_said_that_it_is_not_for_clinical_use_and_from_scratch(finished):
    for name in ("report.html", "model_card.md"):
        text = (finished[0] / "bundle" / name).read_text(encoding="utf-8")
        assert "Not for clinical use." in text
        assert "none: trained from scratch" in text
    assert "Weights: none: trained from scratch" in finished[1]


def test_rare_labels_weigh_more_in_the_loss(finished):
    out = finished[0]
    model = keras.models.load_model(out / "model.keras")
    manifest = records.load(out / "records")
    assert tuple(model.loss.positive_weights) == records.positive_weights(manifest)
    assert model.loss.gamma == 2.0


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            ["train/covid/1.png", "train/normal/1.png"],
            "Expected ChestX-ray14 in {root!r}: a .csv file with the columns 'Image Index', "
            "'Finding Labels' and 'Patient ID', and images in 'images/' or 'images_001/images/'. "
            "Found: 'train/'. For a folder of images for each class use `image_folder`.\n",
        ),
        (
            ["Annotations/a.xml", "JPEGImages/a.jpg"],
            "Expected ChestX-ray14 in {root!r}: a .csv file with the columns 'Image Index', "
            "'Finding Labels' and 'Patient ID', and images in 'images/' or 'images_001/images/'. "
            "Found: 'Annotations/', 'JPEGImages/'. For Pascal VOC annotations use `voc_boxes`.\n",
        ),
        ([], "Expected `folder` to be a folder. There is nothing: {root!r}\n"),
    ],
)
def test_another_layout_is_answered_and_leaves_no_trace(tmp_path, capfd, files, sentence):
    root = tmp_path / "data"
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    assert run_here("--data", str(root), "--out", str(tmp_path / "out")) == 2
    assert capfd.readouterr() == ("", sentence.format(root=str(root)))
    assert not (tmp_path / "out").exists()


def losses(out):
    return json.loads((out / "model.history.json").read_bytes())["loss"]


@pytest.mark.slow
def test_drawn_chests_are_told_apart(tmp_path, capsys):
    assert run_here("--out", str(tmp_path / "out")) == 0
    report = json.loads((tmp_path / "out" / "bundle" / "report.json").read_bytes())
    assert report["reference"]["score"] >= 0.9
    assert max(file["score_lost"] for file in report["files"]) <= 0.01
    assert "The chests are drawn" in capsys.readouterr().out


@pytest.mark.slow
def test_real_images_run_end_to_end(tmp_path, shared_data):
    folder = shared_data("chestxray14_sample")
    assert run_here("--data", str(folder), "--out", str(tmp_path / "out"), "--batch-size", "8") == 0
    out = tmp_path / "out"
    report = json.loads((out / "bundle" / "report.json").read_bytes())
    assert len(report["reference"]["labels"]["rows"]) == 14
    assert max(file["score_lost"] for file in report["files"]) <= 0.01
    assert losses(out)[-1] < losses(out)[0]
