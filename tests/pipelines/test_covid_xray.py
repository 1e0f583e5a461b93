"""The job on X-rays in two classes: end to end on drawn ones, and as good as promised on real."""

import json
import re

import cv2
import numpy as np
import pytest

from pipelines import covid_xray
from pipelines.drawn.xrays import draw
from tfpipe import models, pipeline, records

TINY = ["--size-px", "32", "--epochs", "1"]


def run_here(*arguments):
    parts = covid_xray.load_source, covid_xray.make, covid_xray.Flags
    return pipeline.run(*parts, doc=covid_xray.__doc__, arguments=arguments)


def folder(root, *, parts=("train", "val"), number=52):
    """As many X-rays of each class, as PNG files."""
    random = np.random.default_rng(0)
    for part in parts:
        for name in ("covid", "normal"):
            (root / part / name).mkdir(parents=True)
            for place in range(number if part != "val" else 8):
                image = draw(name == "covid", random)
                assert cv2.imwrite(str(root / part / name / f"{place}.png"), image)
    return root


def printed(patch):
    said = []
    patch.setattr("builtins.print", lambda *parts, **_: said.append(" ".join(map(str, parts))))
    return said


@pytest.fixture(scope="module")
def finished(tmp_path_factory, one_format):
    """The folder of a tiny run, and what it printed."""
    root = tmp_path_factory.mktemp("covid")
    with pytest.MonkeyPatch.context() as patch:
        said = printed(patch)
        data, out = str(folder(root / "data")), str(root / "out")
        assert run_here("--data", data, "--out", out, *TINY) == 0
    return root / "out", "\n".join(said)


def test_the_page_and_the_card_say_where_the_classes_come_from(finished):
    page = (finished[0] / "bundle" / "report.html").read_text(encoding="utf-8")
    card = (finished[0] / "bundle" / "model_card.md").read_text(encoding="utf-8")
    for text in (page, card):
        assert "Not for clinical use." in text
        assert "the two classes come from different hospitals" in text
        assert "none: trained from scratch" in text


def test_the_page_shows_what_the_model_looks_at(finished):
    page = (finished[0] / "bundle" / "report.html").read_text(encoding="utf-8")
    assert re.search(
        r'What the model looks at</h2>\s*<figure>\s*<div.*?><img src="data:image/png', page
    )


def test_the_files_have_run_on_the_given_val_split(finished):
    report = json.loads((finished[0] / "bundle" / "report.json").read_bytes())
    assert report["reference"]["num_examples"] == 16
    assert report["reference"]["require"] == {"score_lost": 0.01}
    assert (finished[0] / "bundle" / "labels.txt").read_text() == "covid\nnormal\n"
    assert report["files"][0]["agreement"] == 1.0


def test_a_folder_without_splits_is_divided(tmp_path):
    data = folder(tmp_path / "data", parts=[""], number=10)
    source = covid_xray.load_source(covid_xray.Flags(data=str(data)))
    assert source.rule["by"] == "fractions"
    assert {example["split"] for example in source} == {"train", "val"}


def test_val_is_drawn_from_train_where_only_it_is_missing(tmp_path):
    data = folder(tmp_path / "data", parts=["Training", "Testing"], number=10)
    source = covid_xray.load_source(covid_xray.Flags(data=str(data)))
    sides = {(example["id"].split("/")[0], example["split"]) for example in source}
    assert sides == {("Training", "train"), ("Training", "val"), ("Testing", "test")}


def test_the_page_of_drawn_xrays_says_that_they_are_drawn(tmp_path, monkeypatch):
    kept = {}
    monkeypatch.setattr(covid_xray.tp.train, "keep", lambda *_: (None, {}))
    monkeypatch.setattr(covid_xray.tp.report, "curves", lambda _: b"")
    monkeypatch.setattr(covid_xray.tp.export, "looks_at", lambda *_, **__: b"")
    monkeypatch.setattr(covid_xray.tp.export, "bundle", lambda *_, **more: kept.update(more))
    flags = covid_xray.Flags()
    manifest = records.write(covid_xray.xrays(0, number=20), tmp_path / "r")
    covid_xray.make(flags, manifest, tmp_path)
    assert kept["notes"]["Where the classes come from"] == (
        "The X-rays are drawn: the scores say nothing of real ones."
    )


def test_weights_are_tuned_from_the_head_on(tmp_path, monkeypatch):
    """With a small network for ResNet50: its head learns, then all the rest but statistics."""

    def small(input_shape, num_classes, *, weights):
        assert weights == "file.h5"
        model = models.residual(input_shape, num_classes, depth=8, width=4)
        for layer in model.layers[:-1]:
            layer.trainable = False
        return model

    def remember(net, *arguments, **options):
        trained.append({weight.path for weight in net.trainable_weights})

    trained = []
    monkeypatch.setattr(models, "resnet50", small)
    monkeypatch.setattr(covid_xray.tp.train, "fit", remember)
    with pytest.raises(AttributeError):  # there is no history
        run_here("--weights", "file.h5", "--out", str(tmp_path / "out"), *TINY)
    assert trained[0] == {"probabilities/kernel", "probabilities/bias"}
    assert {"stem/kernel", "stage3_1_conv2/kernel"} < trained[1]
    assert not any("_bn/" in path for path in trained[1])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--size-px", "-1"], "Expected `--size-px` to be at least 0. Received: --size-px=-1"),
        (["--data", "nowhere"], "Expected `path` to be a folder. There is nothing: 'nowhere'"),
    ],
)
def test_wrong_flags_are_refused(tmp_path, capfd, arguments, sentence):
    assert run_here("--out", str(tmp_path / "out"), *arguments) == 2
    assert capfd.readouterr() == ("", f"{sentence}\n")
    assert list(tmp_path.iterdir()) == []


def scores(out):
    report = json.loads((out / "bundle" / "report.json").read_bytes())
    return report["reference"]["score"], {file["mode"]: file for file in report["files"]}


@pytest.mark.slow
def test_the_drawn_job_reaches_its_bars(tmp_path):
    assert run_here("--out", str(tmp_path / "out")) == 0
    score, files = scores(tmp_path / "out")
    assert score >= 0.95
    assert max(file["score_lost"] for file in files.values()) <= 0.01


@pytest.mark.slow
def test_real_images_reach_their_bars(tmp_path, shared_data):
    data = str(shared_data("covid_xray"))
    assert run_here("--data", data, "--out", str(tmp_path / "out")) == 0
    score, files = scores(tmp_path / "out")
    assert score >= 0.95
    assert max(file["score_lost"] for file in files.values()) <= 0.01
