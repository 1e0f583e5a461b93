"""Metrics beside scikit-learn's."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from tfpipe import train
from tfpipe.errors import RequestError
from tfpipe.train.metrics import AUCPerLabel

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, (200, 3))
P = np.clip(Y * 0.3 + RNG.random((200, 3)) * 0.7, 0, 1).astype(np.float32)


def test_every_label_is_that_of_scikit_learn():
    metric = AUCPerLabel(["a", "b", "c"], num_thresholds=2000)
    for part in np.array_split(np.arange(200), 7):
        metric.update_state(Y[part], P[part])
    found = metric.result()
    expected = [roc_auc_score(Y[:, n], P[:, n]) for n in range(3)]
    assert list(found) == ["auc", "auc/a", "auc/b", "auc/c"]
    np.testing.assert_allclose([float(v) for v in found.values()][1:], expected, atol=2e-3)
    assert float(found["auc"]) == pytest.approx(np.mean(expected), abs=2e-3)
    theirs = keras.metrics.AUC(multi_label=True, num_thresholds=2000)
    theirs.update_state(Y, P)
    assert float(found["auc"]) == pytest.approx(float(theirs.result()), abs=1e-5)


def test_a_label_without_positives_has_none_and_no_share():
    y = Y.copy()
    y[:, 1] = 0
    metric = AUCPerLabel(["a", "b", "c"], num_thresholds=2000)
    metric.update_state(y, P)
    found = {name: float(value) for name, value in metric.result().items()}
    assert np.isnan(found["auc/b"])
    assert found["auc"] == pytest.approx((found["auc/a"] + found["auc/c"]) / 2)


def test_fit_reports_every_label(two_devices):
    with two_devices.scope():
        x = keras.Input((3,))
        same = keras.layers.Dense(3, kernel_initializer="identity")
        model = keras.Model(x, same(x))
        metric = AUCPerLabel(["a", "b", "c"], num_thresholds=2000)
        model.compile(keras.optimizers.SGD(0.0), "mse", metrics=[metric])
    history = train.fit(model, tf.data.Dataset.from_tensor_slices((P, Y)).batch(63)).history
    expected = [roc_auc_score(Y[:, n], P[:, n]) for n in range(3)]
    found = [history[f"auc/{label}"][0] for label in "abc"]
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_it_is_saved_with_a_model():
    again = keras.metrics.deserialize(keras.metrics.serialize(AUCPerLabel(["a"], 50, "roc")))
    assert again.get_config() == AUCPerLabel(["a"], 50, "roc").get_config()


def test_no_labels_are_refused():
    with pytest.raises(RequestError) as caught:
        AUCPerLabel([])
    assert str(caught.value) == "Expected `labels` to name at least one label. Received: labels=[]"


def test_a_metric_of_one_number_per_class_is_in_the_history_by_class():
    x = np.random.default_rng(0).random((12, 4), np.float32)
    y = np.eye(3, dtype=np.float32)[np.arange(12) % 3]
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["f1_score"])
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(5)
    history = train.fit(model, batches, batches).history
    expected = model.evaluate(x, y, verbose=0, return_dict=True)["f1_score"]
    for number, score in enumerate(np.array(expected)):
        assert (
            history[f"f1_score/{number}"]
            == history[f"val_f1_score/{number}"]
            == [pytest.approx(float(score))]
        )
