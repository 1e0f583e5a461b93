"""Masks lie along the axis that hardware wants, and are tfmot's where tfmot makes them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import compress, export
from tfpipe.compress.patterns import masker
from tfpipe.compress.schedules import at_once
from tfpipe.compress.tfmot import load_pruning_impl
from tfpipe.errors import RequestError

RNG = np.random.default_rng(0)


def kernel(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def mask(pattern, values, sparsity=0.5):
    made = masker(pattern, at_once(sparsity), lambda: tf.constant(1, tf.int64))
    return made(tf.constant(values)).numpy()


@pytest.mark.parametrize("shape", [(8, 5), (7, 5), (3, 3, 8, 5), (3, 6, 5), (2, 2, 2, 9, 3)])
@pytest.mark.parametrize(("pattern", "n", "m"), [("2:4", 2, 4), ("1:4", 1, 4), ("4:8", 4, 8)])
def test_the_largest_of_consecutive_inputs_stay(shape, pattern, n, m):
    values = kernel(*shape)
    found = mask(pattern, values)
    for place in np.ndindex(*shape[:-2]):
        for output in range(shape[-1]):
            for first in range(0, shape[-2], m):
                group = np.s_[(*place, slice(first, first + m), output)]
                magnitudes = np.abs(values[group])
                expected = np.zeros(len(magnitudes))
                expected[np.argsort(magnitudes)[-n:]] = 1
                np.testing.assert_array_equal(found[group], expected)


@pytest.mark.parametrize("shape", [(8, 5), (6, 5), (3, 3, 8, 5)])
def test_groups_are_those_that_tfmot_makes_and_checks(shape):
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_utils

    values = kernel(*shape)
    pruning = load_pruning_impl().Pruning(lambda: 1, [], None, (1, 1), "AVG", (2, 4))
    np.testing.assert_array_equal(
        mask("2:4", values), pruning._update_mask_sparsity_m_by_n(tf.constant(values))
    )
    assert pruning_utils.is_pruned_m_by_n(tf.constant(values * mask("2:4", values)), (2, 4))
    assert not pruning_utils.is_pruned_m_by_n(tf.constant(values), (2, 4))


@pytest.mark.parametrize("shape", [(8, 12), (7, 10), (3, 3, 4, 10), (5, 1)])
@pytest.mark.parametrize("block", [(1, 4), (2, 2), (4, 1), (1, 16)])
def test_blocks_of_the_smallest_mean_magnitude_go(shape, block):
    values = kernel(*shape)
    matrix = np.abs(values.reshape(-1, shape[-1]))
    found = mask(block, values).reshape(matrix.shape)
    means, kept = [], []
    for row in range(0, matrix.shape[0], block[0]):
        for column in range(0, matrix.shape[1], block[1]):
            part = np.s_[row : row + block[0], column : column + block[1]]
            means.append(matrix[part].mean())
            kept.append(found[part].all())
            assert found[part].all() == found[part].any()
    expected = np.argsort(means)[len(means) - round(len(means) * 0.5) :]
    assert sorted(np.flatnonzero(kept)) == sorted(expected)


def dense(values):
    x = keras.Input((len(values),))
    model = keras.Model(x, keras.layers.Dense(values.shape[1], name="dense")(x))
    model.get_layer("dense").kernel.assign(values)
    return model


def conv(values):
    x = keras.Input((8, 8, values.shape[2]))
    layer = keras.layers.Conv2D(values.shape[3], values.shape[:2], name="conv")
    model = keras.Model(x, layer(x))
    layer.kernel.assign(values)
    return model


@pytest.mark.parametrize("pattern", ["2:4", "1:4", (1, 4), (2, 2), "element"])
@pytest.mark.parametrize(("make", "shape"), [(dense, (8, 10)), (conv, (3, 3, 6, 10))])
def test_the_check_knows_a_pattern_from_one_weight_too_many(make, shape, pattern):
    values = kernel(*shape)
    model = make(values * mask(pattern, values))
    assert list(compress.has_pattern(model, pattern).values()) == [True]
    (weights,) = (v for v in model.weights if v.name == "kernel")
    first_zero = np.unravel_index(np.argmin(weights.numpy() != 0), shape)
    changed = weights.numpy()
    changed[first_zero] = 1
    weights.assign(changed)
    assert list(compress.has_pattern(model, pattern).values()) == [pattern == "element"]


def classifier():
    keras.utils.set_random_seed(0)
    x = keras.Input((8, 8, 4))
    h = keras.layers.Conv2D(8, 3, activation="relu", name="conv")(x)
    h = keras.layers.Conv2D(8, 3, strides=3, name="next")(h)
    h = keras.layers.Dense(12, name="dense")(keras.layers.Flatten()(h))
    model = keras.Model(x, keras.layers.Dense(10, activation="softmax", name="head")(h), name="net")
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


X, Y = RNG.random((100, 8, 8, 4), np.float32), RNG.integers(0, 10, 100)
TRAIN = tf.data.Dataset.from_tensor_slices((X, Y)).batch(20)


def weights_of(file):
    """The int8 weights of convolutions (out, height, width, in) and products (out, in)."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    return [
        interpreter.tensor(detail["index"])()
        for detail in interpreter.get_tensor_details()
        if detail["dtype"] == np.int8 and len(detail["shape"]) in (2, 4) and _is_constant(detail)
    ]


def _is_constant(detail):
    return len(detail["quantization_parameters"]["scales"]) > 1  # one per output channel


def test_groups_are_contiguous_in_an_int8_file(tmp_path):
    pruned = compress.prune(classifier(), TRAIN, pattern="2:4", epochs=1)
    assert all(compress.has_pattern(pruned, "2:4").values())
    assert list(compress.sparsity(pruned).values()) == [0.5] * 4
    calibration = tf.data.Dataset.from_tensor_slices(X).batch(8)
    file = export.to_tflite(pruned, tmp_path / "int8.tflite", mode="int8", calibration=calibration)
    found = weights_of(file)
    convolutions = [weights for weights in found if weights.ndim == 4]
    assert len(convolutions) >= 2
    for weights in convolutions:
        groups = weights.reshape(-1, 4)  # as they lie in memory
        assert ((groups != 0).sum(axis=1) <= 2).all()


def test_a_pattern_has_its_sparsity_from_the_first_step_on():
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(dict(compress.sparsity(model)))
    )
    model = classifier()
    model.fit(
        TRAIN,
        epochs=1,
        verbose=0,
        shuffle=False,
        callbacks=[watch, compress.Pruning(pattern="2:4")],
    )
    assert seen == [dict.fromkeys(compress.sparsity(model), 0.5)] * 5


def refused(pattern, **options):
    with pytest.raises(RequestError) as caught:
        compress.prune(classifier(), TRAIN, pattern=pattern, **options)
    return str(caught.value)


@pytest.mark.parametrize("pattern", ["4:2", "0:4", "block", (1, 4, 1), (0, 4), (1.0, 4), None])
def test_an_unknown_pattern_is_refused(pattern):
    assert refused(pattern) == (
        "Expected `pattern` to be 'element', 'n:m' such as '2:4', or a block's (rows, columns). "
        f"Received: pattern={pattern!r}"
    )


def test_layers_that_are_no_matrices_are_named():
    x = keras.Input((8, 8, 4))
    h = keras.layers.DepthwiseConv2D(3, name="depthwise")(x)
    h = keras.layers.Conv2DTranspose(4, 3, name="up")(h)
    model = keras.Model(x, keras.layers.Dense(4, name="head")(h), name="mixed")
    with pytest.raises(RequestError) as caught:
        compress.has_pattern(model, "2:4")
    assert str(caught.value) == (
        "The kernels of 'depthwise', 'up' cannot have the pattern '2:4': it is for Dense, Conv "
        "and recurrent layers. Choose `layers=['head']`, or fewer."
    )
    assert list(compress.has_pattern(model, "2:4", layers=["head"])) == ["head/kernel"]


@pytest.mark.parametrize("options", [{"final_sparsity": 0.5}, {"schedule": "constant"}])
def test_a_pattern_of_groups_leaves_nothing_else_to_say(options):
    received = {"final_sparsity": None, "schedule": "polynomial", **options}
    assert refused("2:4", **options) == (
        "Expected neither `final_sparsity` nor `schedule`: the pattern '2:4' says how many weights "
        "are zero, from the first step on. Received: "
        f"final_sparsity={received['final_sparsity']}, schedule={received['schedule']!r}"
    )
