"""A bundle of several labels: its thresholds come from "val", and stand wherever a person looks."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tfpipe import export, ops, records, train
from tfpipe.export.bundling.thresholds import about_labels
from tfpipe.export.scoring.labels import youden

NAMES = ("even", "large", "zero", "absent")
PREPARE = ops.Chain([ops.Decode(channels=1), ops.Resize((16, 16)), ops.ToFloat()])


def written(digits, path, split):
    images, kinds = digits
    rows = [
        {
            "id": f"{n:04d}",
            "image": image,
            "labels": [int(kind % 2 == 0), int(kind > 4), int(kind == 0), 0],
        }
        for n, (image, kind) in enumerate(zip(images[:400], kinds, strict=False))
    ]
    features = {
        "image": records.Feature("image", images.shape[1:]),
        "labels": records.Feature("labels", (len(NAMES),)),
    }
    source = records.examples(rows, features, class_names=NAMES, split=split, name="digits")
    return records.write(source, path)


def made(manifest, path):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((16, 16, 1)), keras.layers.Flatten(), keras.layers.Dense(4, "sigmoid")]
    model = keras.Sequential(layers, name="multi")
    model.compile("adam", train.WeightedBinaryFocalCrossentropy(records.positive_weights(manifest)))
    data = records.read(manifest, "train", PREPARE, batch_size=32, shuffle_seed=0)
    train.fit(model, data, epochs=3)
    return model, export.bundle(model, manifest, path, prepare=PREPARE, formats=("float32",))


@pytest.fixture(scope="module")
def multi(digits, tmp_path_factory):
    root = tmp_path_factory.mktemp("multi")
    manifest = written(digits, root / "records", (0.5, 0.25, 0.25))
    return manifest, *made(manifest, root / "bundle")


def predicted(manifest, model, split):
    batches = list(records.read(manifest, split, PREPARE, batch_size=64))
    scores = np.concatenate([model.predict(images, verbose=0) for images, _ in batches])
    return scores, np.concatenate([targets for _, targets in batches])


def test_the_thresholds_are_those_of_val(multi):
    manifest, model, bundle = multi
    shipped = json.loads((bundle.path / "thresholds.json").read_bytes())
    assert (shipped["rule"], shipped["split"]) == ("Youden's J", "val")
    assert list(shipped["thresholds"]) == list(NAMES)
    *some, absent = shipped["thresholds"].values()
    assert absent is None
    assert some == pytest.approx(youden(*predicted(manifest, model, "val"))[:3], abs=1e-5)
    test = youden(*predicted(manifest, model, "test"))[:3]
    assert some != pytest.approx(test, abs=1e-3)


def test_the_rows_are_those_of_the_test_split(multi):
    manifest, model, bundle = multi
    scores, truths = predicted(manifest, model, "test")
    rows = bundle.report.reference["labels"]["rows"]
    for place, row in enumerate(rows[:3]):
        expected = roc_auc_score(truths[:, place], scores[:, place])
        assert list(row["auroc"].values()) == pytest.approx([expected] * 2)
        yes, positive = scores[:, place] > row["threshold"], truths[:, place] == 1
        assert row["sensitivity"] == pytest.approx(yes[positive].mean(), abs=0.02)
        assert row["specificity"] == pytest.approx((~yes[~positive]).mean(), abs=0.02)
    mean = np.mean([row["auroc"]["float32.tflite"] for row in rows[:3]])
    assert bundle.report.files[0].score == pytest.approx(mean)
    assert rows[3]["auroc"] == {"the Keras model 'multi'": None, "float32.tflite": None}


def test_they_stand_in_the_terminal_on_the_page_and_on_the_card(multi):
    bundle = multi[2]
    lines = str(export.load_bundle(bundle.path)).splitlines()
    (head,) = (n for n, line in enumerate(lines) if line.startswith("label "))
    assert lines[head].split("  ")[-1] == "specificity"
    assert [line.split()[0] for line in lines[head + 2 : head + 6]] == list(NAMES)
    assert lines[head + 5].split()[1:5] == ["0", "-", "no", "positives"]
    assert "chosen on the split 'val' by Youden's J" in lines[head + 6]
    shown = f"{bundle.report.reference['labels']['rows'][1]['threshold']:.4f}"
    for name in ("report.html", "model_card.md"):
        text = (bundle.path / name).read_text(encoding="utf-8")
        assert shown in text
        assert "sensitivity" in text
    assert "no positives" in (bundle.path / "model_card.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("split", "without"), [("val", ()), ("test", ("val",))])
def test_no_threshold_is_judged_on_what_it_was_chosen_for(multi, results_of, split, without):
    manifest, model, _ = multi
    left = {name: part for name, part in manifest.splits.items() if name not in without}
    scores, targets = predicted(manifest, model, split)
    about = about_labels(
        results_of(np.zeros(len(scores)), targets, {"model": scores}),
        dataclasses.replace(manifest, splits=left),
        PREPARE,
        export.from_keras(model, PREPARE),
        split=split,
    )
    assert about["chosen_on"] is None
    assert {row["threshold"] for row in about["rows"]} == {None}
