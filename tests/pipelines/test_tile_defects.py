"""The job on drawn surfaces, tiny; what is wrong with a folder; and, slowly, its bars."""

import json
import re

import cv2
import numpy as np
import pytest

from pipelines import tile_defects
from pipelines.drawn import surfaces
from tfpipe import export, pipeline

TINY = ("--epochs", "1", "--size-px", "32", "--width", "2", "--depth", "1")


def run_here(*arguments):
    parts = tile_defects.load_source, tile_defects.make, tile_defects.Flags
    return pipeline.run(*parts, doc=tile_defects.__doc__, arguments=arguments)


@pytest.fixture
def folder(tmp_path):
    """Three tiles in the layout of the real data."""
    rows = ["stem,class,split"]
    for n, split in enumerate(("train", "val", "test")):
        for part, value in (("images", 90), ("masks", 255 * (n > 0))):
            (tmp_path / part).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / part / f"{n}.png"), np.full((20, 30), value, np.uint8))
        rows.append(f"{n},{'crack' if n else 'free'},{split}")
    (tmp_path / "index.csv").write_text("\n".join(rows))
    return tmp_path


@pytest.fixture(scope="module")
def finished(tmp_path_factory, one_format):
    out = tmp_path_factory.mktemp("tiles") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(surfaces, "NUMBERS", {"train": 16, "val": 4, "test": 16})
        assert run_here("--out", str(out), *TINY) == 0
    return out


def test_drawn_surfaces_end_in_a_bundle(finished):
    bundle = export.load_bundle(finished / "bundle")
    assert bundle.report.reference["score_name"] == "mean IoU"
    table = bundle.report.reference["notes"]["By kind of defect"].splitlines()
    kinds = ["all", "free", "hole", "patch", "scratch"]
    assert [line.split()[0] for line in table[2:]] == kinds
    page = (finished / "bundle" / "report.html").read_text(encoding="utf-8")
    headings = re.findall("<h2>(.*?)</h2>", page)
    assert {"Classes", "From the worst to the best", "By kind of defect"} <= set(headings)
    history = json.loads((finished / "model.history.json").read_text())
    assert set(history) == {"loss", "mean_iou", "val_loss", "val_mean_iou"}


def test_a_finished_run_says_that_its_data_are_drawn_and_shows_the_table(finished, capfd):
    assert run_here("--out", str(finished), *TINY) == 0
    said = capfd.readouterr().out
    assert said.startswith("The surfaces are drawn: the scores say nothing of real ones.\n")
    assert "By kind of defect:\n" in said


def test_the_layout_of_the_real_data(folder):
    flags = tile_defects.Flags(data=str(folder))
    examples = {e["id"]: e["split"] for e in tile_defects.load_source(flags)}
    assert examples == {"0": "train", "1": "val", "2": "test"}


def test_without_an_index_the_splits_are_drawn_and_there_is_no_table_of_kinds(
    tmp_path, monkeypatch, one_format
):
    random = np.random.default_rng(0)
    for part in ("images", "masks"):
        (tmp_path / "data" / part).mkdir(parents=True)
    for n in range(30):
        grey = random.integers(0, 256, (20, 30, 3), np.uint8)
        cv2.imwrite(str(tmp_path / f"data/images/{n}.jpg"), grey)
        cv2.imwrite(str(tmp_path / f"data/masks/{n}.png"), 255 * (grey[..., :1] > 128).repeat(3, 2))
    out = tmp_path / "out"
    assert run_here("--data", str(tmp_path / "data"), "--out", str(out), *TINY) == 0
    bundle = export.load_bundle(out / "bundle")
    assert bundle.class_names == ("free", "defect")
    assert "By kind of defect" not in bundle.report.reference["notes"]


def test_masks_of_several_classes_and_an_index_of_train_and_test_alone(tmp_path, one_format):
    """Greys 0, 1 and 2; there is neither a val split nor a column of kinds."""
    random, rows = np.random.default_rng(0), ["stem,split"]
    for part in ("images", "masks"):
        (tmp_path / "data" / part).mkdir(parents=True)
    for n in range(30):
        mask = random.integers(0, 3, (20, 30), np.uint8)
        cv2.imwrite(str(tmp_path / f"data/images/{n}.png"), 100 * mask)
        cv2.imwrite(str(tmp_path / f"data/masks/{n}.png"), mask)
        rows.append(f"{n},{'test' if n < 6 else 'train'}")
    (tmp_path / "data" / "index.csv").write_text("\n".join(rows))
    arguments = ["--data", str(tmp_path / "data"), "--classes", "0", "1", "2"]
    out = tmp_path / "out"
    assert run_here(*arguments, "--out", str(out), *TINY) == 0
    bundle = export.load_bundle(out / "bundle")
    assert bundle.class_names == ("free", "defect 1", "defect 2")
    assert bundle.report.reference["num_examples"] == 6
    assert "By kind of defect" not in bundle.report.reference["notes"]


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("images", "Expected a folder 'images' (`images`) in '{folder}'. Found: 'elsewhere/', "
         "'masks/', 'index.csv'. For a table beside the images use `image_csv`."),
        ("masks/1.png", "Expected each image to have a mask of the same stem. 1 images have no "
         "mask: '1.png'. Mend the names, pass `mask_stem=`, or pass `unpaired=\"refuse\"`."),
    ],
)  # fmt: skip
def test_another_folder_is_refused_before_anything_is_written(folder, capfd, missing, sentence):
    path = folder / missing
    path.rename(folder / "elsewhere")
    out = folder / "out"
    assert run_here("--data", str(folder), "--out", str(out)) == 2
    assert capfd.readouterr().err == sentence.format(folder=folder) + "\n"
    assert not out.exists()


@pytest.mark.slow
def test_drawn_defects_are_found(tmp_path):
    assert run_here("--out", str(tmp_path / "out")) == 0
    report = export.load_bundle(tmp_path / "out" / "bundle").report
    assert report.reference["score"] >= 0.65
    report.require(score_lost=0.01)


@pytest.mark.slow
def test_magnetic_tiles(tmp_path, shared_data):
    data = str(shared_data("magnetic_tile"))
    assert run_here("--data", data, "--out", str(tmp_path / "out")) == 0
    report = export.load_bundle(tmp_path / "out" / "bundle").report
    assert report.reference["score"] >= 0.65
    report.require(score_lost=0.01)
