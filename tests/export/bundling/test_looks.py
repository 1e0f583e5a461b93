"""The pictures of what a model looks at: which images, in what order, said to be right or wrong."""

import keras
import numpy as np
import pytest

from tfpipe import export, ops, records, report
from tfpipe.export.bundling import looks

PREPARE = ops.Chain([ops.Decode(channels=1), ops.Resize((16, 16)), ops.ToFloat()])
GREYS = np.array([20, 220, 230, 30, 240, 10], np.uint8)  # the answer is whether it is bright
LABELS = np.array([0, 1, 1, 0, 0, 1])  # the last two are wrong


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    images = np.broadcast_to(GREYS[:, None, None, None], (6, 16, 16, 1)).copy()
    images[:, :8] //= 2  # the lower half is brighter
    rows = [
        {"id": str(n), "image": image, "label": int(label), "split": "test"}
        for n, (image, label) in enumerate(zip(images, LABELS, strict=True))
    ]
    features = {
        "image": records.Feature("image", (16, 16, 1)),
        "label": records.Feature("label"),
    }
    source = records.examples(rows, features, class_names=("dark", "bright"))
    return records.write(source, tmp_path_factory.mktemp("looks") / "records")


def brightness(units):
    x = keras.Input((16, 16, 1))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.MaxPooling2D(2, name="maps")(x))
    head = keras.layers.Dense(units, "softmax" if units == 2 else "sigmoid")
    model = keras.Model(x, head(pooled))
    weights = [[-20.0, 20.0]] if units == 2 else [[40.0]]
    head.set_weights([np.array(weights), np.array([8.0, -8.0] if units == 2 else [-16.0])])
    return model


@pytest.fixture
def drawn(monkeypatch):
    """What the picture is made of."""
    given = {}

    def remember(images, heats, captions, *, wrong):
        given.update(images=images, heats=heats, captions=captions, wrong=wrong)
        return report.heatmaps(images, heats, captions, wrong=wrong)

    monkeypatch.setattr(looks, "heatmaps", remember)
    return given


@pytest.mark.parametrize("units", [1, 2])
def test_wrong_answers_come_first_then_right_ones_of_every_class_in_turn(manifest, drawn, units):
    picture = export.looks_at(brightness(units), manifest, PREPARE)
    assert picture[1:4] == b"PNG"
    assert drawn["images"][:, -1, 0, 0].tolist() == [240, 10, 20, 220, 30, 230]
    assert drawn["wrong"] == [True, True, False, False, False, False]
    assert drawn["captions"][:3] == [
        "bright: 1.00, label dark",
        "dark: 1.00, label bright",
        "dark: 1.00",
    ]


def test_the_heat_is_that_of_the_answer(manifest, drawn):
    export.looks_at(brightness(2), manifest, PREPARE, most=1)
    (heat,) = drawn["heats"]  # the wrong "bright" one, for which the bright half speaks most
    assert heat[0, 0] == pytest.approx(0.5, abs=0.01)
    assert heat[-1, -1] == 1.0


def test_more_than_a_batch_is_the_same(manifest, drawn, monkeypatch):
    export.looks_at(brightness(2), manifest, PREPARE)
    whole = drawn["heats"]
    monkeypatch.setattr(looks, "BATCH_SIZE", 4)
    export.looks_at(brightness(2), manifest, PREPARE)
    np.testing.assert_allclose(drawn["heats"], whole, atol=1e-6)
