"""ONNX files, run by ONNX Runtime: those of tfpipe, those of others, and those that are none."""

import re

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf

from tfpipe import export
from tfpipe.errors import DataError, RequestError

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (40, 32, 32, 1), np.uint8)


@pytest.fixture(scope="module")
def file(trained, prepare, tmp_path_factory):
    return export.to_onnx(trained, tmp_path_factory.mktemp("a") / "a.onnx", prepare=prepare)


def damaged(path):
    with pytest.raises(DataError) as caught:
        export.load(path)
    return str(caught.value)


def written(path, function, *shapes):
    """A file of any function, by way of tf2onnx itself."""
    import tf2onnx

    specs = [tf.TensorSpec(shape) for shape in shapes]
    tf2onnx.convert.from_function(tf.function(function), specs, opset=18, output_path=str(path))
    return path


def test_the_sparsity_is_read_from_the_file(trained, prepare, tmp_path):
    model = keras.models.clone_model(trained)
    model.set_weights(trained.get_weights())
    kernel = model.get_layer("dense1").kernel
    kernel.assign(np.zeros(kernel.shape))
    path = export.to_onnx(model, tmp_path / "a.onnx", prepare=prepare)
    assert export.load(path).sparsity == export.from_keras(model, prepare).sparsity > 0.5


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_a_truncated_file_is_refused(file, tmp_path, share):
    data = file.read_bytes()
    path = tmp_path / "a.onnx"
    path.write_bytes(data[: int(share * len(data))])
    assert damaged(path) == (
        f"{path}: ONNX Runtime cannot run it "
        "(Failed to load model because protobuf parsing failed.)"
    )


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04" * 100, bytes(1000)])
def test_another_file_is_refused(tmp_path, data):
    path = tmp_path / "a.onnx"
    path.write_bytes(data)
    assert damaged(path).startswith(f"{path}: ONNX Runtime cannot run it (")


def test_a_file_with_a_damaged_name_is_refused(file, tmp_path, capfd):
    made, _, read = file.read_bytes().partition(b"prepare/mul:0")
    path = tmp_path / "a.onnx"
    path.write_bytes(
        made + b"prepare/mul:0" + read.replace(b"prepare/mul:0", b"prepare/m\xff\xfe:0")
    )
    assert damaged(path).startswith(f"{path}: ONNX Runtime cannot run it ('utf-8' codec")
    assert capfd.readouterr().out == ""


def test_a_file_of_two_inputs_is_refused(tmp_path):
    path = written(tmp_path / "a.onnx", lambda a, b: a + b, (None, 4, 4, 1), (None, 4, 4, 1))
    assert damaged(path) == (
        f"{path}: expected one input, a batch of images, sequences, tokens or features, and one "
        "output, found inputs of (None, 4, 4, 1) and (None, 4, 4, 1) and outputs of "
        "(None, 4, 4, 1)"
    )


def test_a_file_of_raw_integers_is_refused(tmp_path):
    path = written(tmp_path / "a.onnx", lambda a: tf.argmax(a, -1), (None, 4, 4, 1))
    assert damaged(path) == f"{path}: expected scores in float32, found int64"


def test_a_file_of_an_open_size_is_refused(tmp_path):
    path = written(tmp_path / "a.onnx", lambda a: a * 2, (None, None, 4, 1))
    assert damaged(path) == f"{path}: expected examples of one size, found (None, None, 4, 1)"


def test_a_file_for_one_image_takes_several_one_by_one(tmp_path):
    path = written(tmp_path / "a.onnx", lambda a: tf.reshape(a, (1, 16)), (1, 4, 4, 1))
    images = RNG.random((5, 4, 4, 1), np.float32)
    np.testing.assert_array_equal(export.load(path).predict(images), images.reshape(5, 16))


def network(path, dtype, shape, weights):
    """A file by onnx' own helpers, a product with `weights`, with names of its own."""
    helper, kind = onnx.helper, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    takes = helper.make_tensor_value_info("whatever", kind, ["n", *shape])
    gives = helper.make_tensor_value_info("anything", kind, ["n", weights.shape[1]])
    nodes = [helper.make_node("MatMul", ["whatever", "weights"], ["anything"])]
    constant = onnx.numpy_helper.from_array(weights.astype(dtype), "weights")
    graph = helper.make_graph(nodes, "g", [takes], [gives], [constant])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("dtype", "mode"), [("float16", "float16"), ("float32", "float32"), ("float64", "float32")]
)
def test_other_floats_take_and_give_float32(tmp_path, dtype, mode):
    weights = RNG.normal(size=(4, 3))
    predictor = export.load(network(tmp_path / "a.onnx", dtype, (4,), weights))
    assert (predictor.dtype, predictor.mode) == ("float32", mode)
    assert predictor.operators == {"MatMul": 1}
    examples = RNG.random((40, 4), np.float32)
    scores = predictor.predict(examples)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(
        scores, examples @ weights, atol=1e-2 if dtype == "float16" else 1e-6
    )


def test_quantised_files_say_how_they_compute(tmp_path):
    from onnxruntime.quantization import CalibrationDataReader, quantize_dynamic, quantize_static

    plain = network(tmp_path / "a.onnx", "float32", (40,), RNG.normal(size=(40, 30)))
    examples = RNG.random((8, 40), np.float32)

    class Reader(CalibrationDataReader):
        rows = iter([{"whatever": examples[place : place + 1]} for place in range(8)])

        def get_next(self):
            return next(self.rows, None)

    quantize_dynamic(plain, tmp_path / "dynamic.onnx")
    quantize_static(plain, tmp_path / "int8.onnx", Reader())
    expected = export.load(plain).predict(examples)
    for mode in ("dynamic", "int8"):
        predictor = export.load(tmp_path / f"{mode}.onnx")
        assert predictor.mode == mode
        assert np.abs(predictor.predict(examples) - expected).max() < 0.2


def tokens_file(path):
    table = RNG.random((10, 3), np.float32)

    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.int64, "x")])
    def looked_up(tokens):
        return tf.reduce_mean(tf.gather(tf.constant(table), tokens), 1)

    import tf2onnx

    tf2onnx.convert.from_function(looked_up, looked_up.input_signature, opset=18, output_path=path)
    return table


def test_tokens_are_int32_and_within_the_vocabulary(tmp_path):
    table = tokens_file(str(tmp_path / "a.onnx"))
    predictor = export.load(tmp_path / "a.onnx")
    assert (predictor.input_shape, predictor.dtype) == ((4,), "int32")
    tokens = np.array([[0, 1, 2, 9]], np.int32)
    np.testing.assert_allclose(predictor.predict(tokens), table[tokens].mean(1), rtol=1e-6)
    with pytest.raises(RequestError) as caught:
        predictor.predict(tokens + 1)
    sentence = r"a\.onnx cannot compute with these inputs \(.*idx=10 must be within.*\)\."
    assert re.fullmatch(sentence, str(caught.value))
    with pytest.raises(RequestError) as caught:
        predictor.predict(tokens - 1)  # to ONNX, the vocabulary's last
    assert str(caught.value) == "a.onnx takes tokens from 0. Received: -1."


def test_a_file_runs_in_as_many_threads_as_it_is_told(file, monkeypatch):
    told, session = [], onnxruntime.InferenceSession

    def watched(data, options, **arguments):
        told.append((options.intra_op_num_threads, options.inter_op_num_threads))
        return session(data, options, **arguments)

    monkeypatch.setattr(onnxruntime, "InferenceSession", watched)
    export.load(file, threads=3)
    export.load(file)
    assert told == [(3, 3), (1, 1)]
