"""A SavedModel has the vocabularies of its layers; TFLite and ONNX say that they cannot."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import export
from tfpipe.errors import RequestError

TOKENS = np.random.default_rng(0).integers(1, 30, (20, 6)).astype(np.int32)


@pytest.fixture(scope="module")
def model():
    lookup = keras.layers.IntegerLookup(name="lookup")
    lookup.adapt(TOKENS[:, ::-1] % 25)
    x = keras.Input((6,), dtype="int32")
    h = keras.layers.Embedding(40, 4)(lookup(x))
    return keras.Model(x, keras.layers.GlobalMaxPooling1D()(h), name="words")


def test_a_saved_model_looks_up_as_the_model_does(model, tmp_path):
    path = export.to_saved_model(model, tmp_path / "a")
    served = tf.saved_model.load(str(path)).signatures["serving_default"]
    found = served(tokens=tf.constant(TOKENS))["scores"]
    np.testing.assert_array_equal(found, model.predict(TOKENS, verbose=0))


def test_a_saved_model_takes_texts(tmp_path):
    words = keras.layers.TextVectorization(output_sequence_length=4)
    texts = np.array([["a b c"], ["c d"], ["e"]])
    words.adapt(texts)
    x = keras.Input((1,), dtype="string")
    pooled = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(9, 3)(words(x)))
    model = keras.Model(x, pooled, name="texts")
    path = export.to_saved_model(model, tmp_path / "a")
    served = tf.saved_model.load(str(path)).signatures["serving_default"]
    (name,) = served.structured_input_signature[1]
    found = served(**{name: tf.constant(texts)})["scores"]
    np.testing.assert_array_equal(found, model.predict(tf.constant(texts), verbose=0))


def test_tflite_has_no_such_tables(model, tmp_path):
    with pytest.raises(RequestError) as caught:
        export.to_tflite(model, tmp_path / "a.tflite")
    assert str(caught.value) == (
        "Expected a model whose operators are builtin in TFLite. Received: layer 'lookup' of "
        "'words' with HashTableV2, LookupTableFindV2, LookupTableImportV2, which only TensorFlow "
        "has. Replace the layer."
    )
