"""The rung after int8: what it needs, and what it writes."""

import keras
import pytest

from tfpipe import export
from tfpipe.errors import RequestError
from tfpipe.export.bundling import aware
from tfpipe.export.bundling.aware import write_aware


def test_a_model_that_is_not_compiled_cannot_be_trained(trained, manifest, prepare, tmp_path):
    model = keras.Model(trained.inputs, trained.outputs, name="plain")
    with pytest.raises(RequestError, match="The model 'plain' is not compiled"):
        write_aware(model, manifest, tmp_path, prepare=prepare)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("loss", "shape"),
    [
        ("sparse_categorical_crossentropy", (None,)),
        ("categorical_crossentropy", (None, 10)),
        (keras.losses.categorical_crossentropy, (None, 10)),
        (keras.losses.CategoricalCrossentropy(label_smoothing=0.1), (None, 10)),
    ],
)
def test_labels_become_what_the_loss_takes(
    trained, manifest, prepare, tmp_path, monkeypatch, loss, shape
):
    def remember(model, train, **options):
        seen.append(tuple(train.element_spec[1].shape))
        raise RequestError("enough")

    seen = []
    monkeypatch.setattr(aware, "quantize_aware", remember)
    model = keras.Model(trained.inputs, trained.outputs)
    model.compile("adam", loss)
    with pytest.raises(RequestError, match="enough"):
        write_aware(model, manifest, tmp_path, prepare=prepare)
    assert seen == [shape]


@pytest.mark.slow
def test_it_is_an_int8_file(trained, manifest, prepare, digits, tmp_path):
    before = trained.get_weights()
    path = write_aware(trained, manifest, tmp_path, prepare=prepare)
    assert path.name == "int8_qat.tflite"
    predictor = export.load(path)
    assert (predictor.mode, predictor.dtype) == ("int8", "uint8")
    answers = predictor.predict(digits[0][1500:]).argmax(-1)
    assert (answers == digits[1][1500:]).mean() > 0.85
    assert all((a == b).all() for a, b in zip(before, trained.get_weights(), strict=True))
