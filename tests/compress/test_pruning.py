"""Pruning(): a Keras callback whose masks hold after every update, in any loop."""

import keras
import numpy as np
import pytest

from tests.compress.small import TRAIN, asked_for, classifier, zeros
from tfpipe import compress
from tfpipe.compress.tfmot import load_tfmot
from tfpipe.errors import RequestError

SCHEDULES = load_tfmot().sparsity.keras


def test_a_schedule_of_tfmots_is_taken_as_it_is():
    schedule = SCHEDULES.PolynomialDecay(0.25, 0.5, begin_step=3, end_step=9, frequency=3)
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(zeros(model)["dense/kernel"])
    )
    model = classifier()
    callbacks = [watch, compress.Pruning(schedule=schedule)]
    model.fit(TRAIN, verbose=0, shuffle=False, callbacks=callbacks)
    renewed = [0.5 - 0.25 * (1 - (step - 3) / 6) ** 3 for step in (3, 6, 9)]
    counts = [640 - round(640 * (1 - s)) for s in renewed]
    assert seen == [0, 0, *([counts[0]] * 3), *([counts[1]] * 3), counts[2], counts[2]]


def test_constant_is_all_at_once():
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(zeros(model))
    )
    model = classifier()
    pruning = compress.Pruning(final_sparsity=0.5, schedule="constant")
    model.fit(TRAIN, verbose=0, shuffle=False, callbacks=[watch, pruning])
    assert seen == [asked_for(0.5)] * 10


@pytest.mark.parametrize(
    "compiled",
    [
        {"steps_per_execution": 3},
        pytest.param({"jit_compile": True}, marks=pytest.mark.slow),
        pytest.param({"run_eagerly": True}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_masks_hold_in_keras_own_fit(compiled):
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(zeros(model)["dense/kernel"])
    )
    model = classifier()
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(), initial_scale=4.0)
    model.compile(scaled, "sparse_categorical_crossentropy", **compiled)
    model.fit(TRAIN, verbose=0, shuffle=False)  # its graph is there already
    callbacks = [watch, compress.Pruning(final_sparsity=0.5)]
    model.fit(TRAIN, verbose=0, shuffle=False, callbacks=callbacks)
    assert zeros(model) == asked_for(0.5)
    assert seen[-2:] == [320, 320]  # and before the callback's last word
    model.fit(TRAIN, verbose=0, shuffle=False)
    assert zeros(model)["dense/kernel"] == 0  # the callback is gone, and its masks with it


def test_fit_and_the_trainer_prune_alike():
    by_keras, by_trainer = classifier("sgd"), classifier("sgd")
    pruning = compress.Pruning(final_sparsity=0.5)
    by_keras.fit(TRAIN, epochs=2, verbose=0, shuffle=False, callbacks=[pruning])
    by_trainer = compress.prune(by_trainer, TRAIN, final_sparsity=0.5, epochs=2)
    for a, b in zip(by_keras.get_weights(), by_trainer.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_averages_of_weights_are_masked_too():
    averaging = keras.optimizers.Adam(0.01, use_ema=True)
    pruned = compress.prune(classifier(), TRAIN, epochs=2, optimizer=averaging)
    assert zeros(pruned) == asked_for(0.8)
    model = classifier(keras.optimizers.Adam(0.01, use_ema=True))
    model.fit(TRAIN, epochs=2, verbose=0, shuffle=False, callbacks=[compress.Pruning()])
    assert zeros(model) == asked_for(0.8)


def test_a_callback_is_for_one_training():
    model, pruning = classifier(), compress.Pruning()
    model.fit(TRAIN, verbose=0, shuffle=False, callbacks=[pruning])
    with pytest.raises(RequestError) as caught:
        model.fit(TRAIN, verbose=0, shuffle=False, callbacks=[pruning])
    assert str(caught.value) == "This `Pruning` has pruned a model already. Make a new one."


def test_a_training_of_unknown_length_needs_a_schedule_with_an_end():
    def batches():
        yield from TRAIN

    with pytest.raises(RequestError) as caught:
        classifier().fit(batches(), verbose=0, shuffle=False, callbacks=[compress.Pruning()])
    assert str(caught.value) == (
        "How many steps this training has is not known, so `schedule='polynomial'` has no end. "
        "Give `fit` a `steps_per_epoch`, or `Pruning` one of tfmot's schedules."
    )


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_a_schedule_without_an_end_is_enough_for_a_training_of_unknown_length():
    def batches():
        yield from TRAIN

    model = classifier()
    pruning = compress.Pruning(schedule=SCHEDULES.ConstantSparsity(0.5, 2, frequency=3))
    model.fit(batches(), verbose=0, shuffle=False, callbacks=[pruning])
    assert zeros(model) == asked_for(0.5)
