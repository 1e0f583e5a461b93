"""`.keras` files: loaded in safe mode, whole or not at all."""

import json
import zipfile

import keras
import numpy as np
import pytest

from tfpipe import export
from tfpipe.errors import DataError, RequestError

RNG = np.random.default_rng(0)
IMAGES = RNG.random((3, 8, 8, 1), np.float32)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A small model's file."""
    x = keras.Input((8, 8, 1))
    path = tmp_path_factory.mktemp("keras") / "a.keras"
    keras.Model(x, keras.layers.Dense(3)(keras.layers.Flatten()(x))).save(path)
    return path


def damaged(path, **arguments):
    with pytest.raises(DataError) as caught:
        export.load(path, **arguments)
    return str(caught.value)


def saved(outputs, inputs, path):
    keras.Model(inputs, outputs, name="odd").save(path)
    return path


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.999])
def test_a_truncated_file_is_refused(written, tmp_path, share):
    data = written.read_bytes()
    path = tmp_path / "a.keras"
    path.write_bytes(data[: int(share * len(data))])
    assert damaged(path) == f"{path}: Keras cannot run it (not a whole zip archive)"


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5"])
@pytest.mark.parametrize("share", [0, 0.5])
def test_a_file_with_a_truncated_member_is_refused(written, tmp_path, member, share):
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(written) as whole, zipfile.ZipFile(path, "w") as part:
        for name in whole.namelist():
            data = whole.read(name)
            part.writestr(name, data[: int(share * len(data))] if name == member else data)
    assert damaged(path).startswith(f"{path}: Keras cannot run it (")


def test_a_changed_byte_is_found_by_the_archives_checksum(written, tmp_path):
    data = bytearray(written.read_bytes())
    with zipfile.ZipFile(written) as archive:
        start = archive.getinfo("model.weights.h5").header_offset
    data[start + 3000] ^= 1
    path = tmp_path / "a.keras"
    path.write_bytes(data)
    assert damaged(path) == (
        f"{path}: Keras cannot run it (its part 'model.weights.h5' is damaged)"
    )


def test_code_in_a_file_is_refused_unless_it_is_allowed(tmp_path):
    x = keras.Input((8, 8, 1))
    double = keras.layers.Lambda(lambda a: a * 2, output_shape=(8, 8, 1))
    path = saved(double(x), x, tmp_path / "a.keras")
    assert damaged(path) == (
        f"{path}: it holds Python code, a Lambda layer, that would run here. If you trust its "
        "source, `load(..., safe_mode=False)`; better, replace the Lambda by a layer of Keras'"
    )
    found = export.load(path, safe_mode=False).predict(IMAGES)
    np.testing.assert_array_equal(found, IMAGES * 2)


def test_a_class_that_is_not_known_is_named(tmp_path):
    class Odd(keras.layers.Layer):
        def call(self, x):
            return x * 2

    x = keras.Input((8, 8, 1))
    path = saved(Odd()(x), x, tmp_path / "a.keras")
    assert damaged(path) == (
        f"{path}: it needs 'Odd', which Keras does not know here. Import the module that defines "
        "it, with `@keras.saving.register_keras_serializable()` above it, before loading; or make "
        "the model in Python and use `from_keras`"
    )


def test_a_class_that_is_registered_loads(tmp_path):
    @keras.saving.register_keras_serializable("test_archive")
    class Known(keras.layers.Layer):
        def call(self, x):
            return x * 2

    x = keras.Input((8, 8, 1))
    path = saved(Known()(x), x, tmp_path / "a.keras")
    np.testing.assert_array_equal(export.load(path).predict(IMAGES), IMAGES * 2)


def test_a_subclassed_model_is_refused(tmp_path):
    @keras.saving.register_keras_serializable("test_archive")
    class Subclassed(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    model = Subclassed(name="mine")
    model(IMAGES)
    model.save(tmp_path / "a.keras")
    sentence = (
        "Expected a functional model, or a Sequential one that begins with keras.Input. "
        "Received: 'mine', a model of the class Subclassed, whose layers do not tell what they "
        "are called with. Build it from keras.Input with keras.Model(inputs, outputs)."
    )
    assert damaged(tmp_path / "a.keras") == f"{tmp_path}/a.keras: {sentence}"
    with pytest.raises(RequestError) as caught:
        export.from_keras(model)
    assert str(caught.value) == sentence


def test_a_file_of_two_inputs_is_refused(tmp_path):
    one, two = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    path = saved(one + two, [one, two], tmp_path / "a.keras")
    assert damaged(path) == (
        f"{path}: Expected a model with one input and one output. Received: 'odd' with 2 and 1."
    )


def test_a_config_that_is_no_model_is_refused(written, tmp_path):
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(written) as whole, zipfile.ZipFile(path, "w") as part:
        for name in whole.namelist():
            part.writestr(name, json.dumps({"a": [1]}) if "config" in name else whole.read(name))
    assert damaged(path).startswith(f"{path}: Keras cannot run it (")


@pytest.mark.parametrize(
    ("shape", "dtype"), [((8,), "float32"), ((7, 3), "float32"), ((8,), "int32")]
)
def test_every_kind_of_example(tmp_path, shape, dtype):
    x = keras.Input(shape, dtype=dtype)
    rows = keras.layers.Embedding(50, 4)(x) if dtype == "int32" else x
    model = keras.Model(x, keras.layers.Dense(3)(rows))
    model.save(tmp_path / "a.keras")
    predictor = export.load(tmp_path / "a.keras")
    assert (predictor.input_shape, predictor.dtype) == (shape, dtype)
    examples = RNG.integers(0, 50, (40, *shape)).astype(dtype)
    expected = model.predict(examples, verbose=0)
    np.testing.assert_allclose(predictor.predict(examples), expected, rtol=1e-5, atol=1e-6)


def test_tokens_outside_the_vocabulary_are_refused(tmp_path):
    x = keras.Input((4,), dtype="int32")
    keras.Model(x, keras.layers.Embedding(10, 4)(x)).save(tmp_path / "a.keras")
    with pytest.raises(RequestError) as caught:
        export.load(tmp_path / "a.keras").predict(np.array([[0, 1, 2, 10]], np.int32))
    assert str(caught.value).startswith("the Keras model 'functional")
    assert str(caught.value).endswith(
        " cannot compute with these inputs (indices[0,3] = 10 is not in [0, 10))."
    )
