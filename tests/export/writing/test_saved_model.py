"""SavedModel folders: read by TensorFlow alone, from pixels and from encoded bytes."""

import shutil

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import export, ops
from tfpipe.errors import RequestError

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (5, 32, 32, 1), np.uint8)


@pytest.fixture(scope="module")
def folder(trained, prepare, tmp_path_factory):
    return export.to_saved_model(trained, tmp_path_factory.mktemp("a") / "model", prepare=prepare)


def signatures(folder):
    return dict(tf.saved_model.load(str(folder)).signatures)


def test_a_fresh_process_without_tfpipe_runs_both_signatures(folder, trained, python, tmp_path):
    np.save(tmp_path / "pixels.npy", PIXELS)
    code = f"""
import sys
import numpy as np
import tensorflow as tf
pixels = np.load({str(tmp_path / "pixels.npy")!r})
model = tf.saved_model.load({str(folder)!r})
from_pixels = model.signatures["serving_default"](images=tf.constant(pixels))["scores"]
encoded = tf.stack([tf.io.encode_png(image) for image in pixels])
from_bytes = model.signatures["encoded"](encoded=encoded)["scores"]
assert "tfpipe" not in sys.modules
np.save({str(tmp_path / "scores.npy")!r}, np.stack([from_pixels, from_bytes]))
"""
    done = python(code)
    assert done.returncode == 0, done.stderr
    expected = trained.predict(PIXELS / np.float32(255), verbose=0)
    for scores in np.load(tmp_path / "scores.npy"):
        np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_the_signatures(folder):
    found = signatures(folder)
    assert sorted(found) == ["encoded", "serve", "serving_default"]
    for name in ("serve", "serving_default"):
        assert found[name].structured_input_signature[1] == {
            "images": tf.TensorSpec((None, 32, 32, 1), tf.uint8, "images")
        }
    assert found["encoded"].structured_input_signature[1] == {
        "encoded": tf.TensorSpec((None,), tf.string, "encoded")
    }
    for signature in found.values():
        assert signature.structured_outputs == {
            "scores": tf.TensorSpec((None, 10), tf.float32, "scores")
        }


def test_every_weight_is_stored_once(folder, trained):
    (data,) = folder.glob("variables/variables.data*")
    assert data.stat().st_size < 1.1 * 4 * trained.count_params()


def test_each_encoded_image_is_resized_by_itself(folder, trained, prepare):
    images = [RNG.integers(0, 256, (*size, 3), np.uint8) for size in ((50, 31), (20, 64), (32, 32))]
    encoded = [cv2.imencode(".jpg", image)[1].tobytes() for image in images]
    found = signatures(folder)["encoded"](encoded=tf.constant(encoded))["scores"]
    tensors = np.stack([prepare({"image": data})["image"] for data in encoded])
    np.testing.assert_allclose(found, trained.predict(tensors, verbose=0), atol=1e-6)


def test_what_comes_before_the_resize_is_made_of_tensorflow_s_operators_too(trained, tmp_path):
    rest = [ops.Resize((32, 32)), ops.ToFloat()]
    through_python = ops.Chain([ops.Decode(channels=1), ops.Clahe(backend="opencv"), *rest])
    folder = export.to_saved_model(trained, tmp_path / "model", prepare=through_python)
    graph = signatures(folder)["encoded"].graph.as_graph_def()
    nodes = [*graph.node, *(node for each in graph.library.function for node in each.node_def)]
    assert [node.op for node in nodes if "PyFunc" in node.op] == []
    encoded = tf.io.encode_png(RNG.integers(0, 256, (50, 41, 1), np.uint8))
    found = signatures(folder)["encoded"](encoded=encoded[None])["scores"]
    tensors = through_python({"image": encoded})["image"][None]
    np.testing.assert_allclose(found, trained.predict(tensors, verbose=0), atol=1e-6)


def test_with_an_input_size_the_pixels_are_resized_inside(trained, prepare, tmp_path):
    path = export.to_saved_model(trained, tmp_path / "a", prepare=prepare, input_size=(48, 40))
    large = RNG.integers(0, 256, (3, 48, 40, 1), np.uint8)
    found = signatures(path)["serving_default"](images=tf.constant(large))["scores"]
    small = ops.Resize((32, 32))({"image": large})["image"].numpy()
    expected = trained.predict(small / np.float32(255), verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    encoded = [tf.io.encode_png(image).numpy() for image in large]
    same = signatures(path)["encoded"](encoded=tf.constant(encoded))["scores"]
    np.testing.assert_allclose(same, expected, atol=1e-6)


@pytest.mark.parametrize("chain", [None, ops.Chain([ops.ToFloat()])])
def test_without_decoding_there_is_no_signature_for_bytes(trained, tmp_path, chain):
    found = signatures(export.to_saved_model(trained, tmp_path / "a", prepare=chain))
    assert sorted(found) == ["serve", "serving_default"]
    dtype = tf.float32 if chain is None else tf.uint8
    assert found["serve"].structured_input_signature[1]["images"].dtype == dtype


def test_a_model_of_a_strategy_is_written_whole(two_devices, trained, prepare, folder, tmp_path):
    with two_devices.scope():
        model = keras.models.clone_model(trained)
        model.set_weights(trained.get_weights())
        path = export.to_saved_model(model, tmp_path / "a", prepare=prepare)
    np.testing.assert_array_equal(
        export.load(path).predict(PIXELS), export.load(folder).predict(PIXELS)
    )


def test_a_second_export_takes_the_place_of_the_first(tmp_path):
    for factor in (2.0, 3.0):
        x = keras.Input((2, 2, 1))
        path = export.to_saved_model(
            keras.Model(x, keras.layers.Rescaling(factor)(x)), tmp_path / "a"
        )
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    ones = np.ones((1, 2, 2, 1), np.float32)
    np.testing.assert_array_equal(export.load(path).predict(ones), ones * 3)


def test_a_refused_export_leaves_nothing(trained, prepare, tmp_path):
    with pytest.raises(RequestError):
        export.to_saved_model(trained, tmp_path / "a", input_size=(8, 8))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "shape", "dtype"),
    [("sequences", (9, 5), "float32"), ("tokens", (9,), "int32"), ("features", (9,), "float32")],
)
def test_other_models_take_what_they_took(tmp_path, name, shape, dtype):
    x = keras.Input(shape, dtype=dtype)
    y = keras.layers.Embedding(40, 5)(x) if name == "tokens" else x
    y = keras.layers.Dense(3)(x) if name == "features" else keras.layers.LSTM(3)(y)
    model = keras.Model(x, y)
    found = signatures(export.to_saved_model(model, tmp_path / "a"))
    assert sorted(found) == ["serve", "serving_default"]
    inputs = RNG.integers(0, 40, (4, *shape)).astype(dtype)
    scores = found["serve"](**{name: tf.constant(inputs)})["scores"]
    np.testing.assert_allclose(scores, model.predict(inputs, verbose=0), atol=1e-5)


def test_layers_that_augment_do_nothing_in_a_file(tmp_path):
    augment = [keras.layers.RandomFlip(), keras.layers.RandomContrast(0.5)]
    model = keras.Sequential([keras.Input((8, 8, 1)), *augment, keras.layers.Flatten()])
    images = RNG.random((4, 8, 8, 1), np.float32)
    run = signatures(export.to_saved_model(model, tmp_path / "a"))["serving_default"]
    np.testing.assert_array_equal(run(images=tf.constant(images))["scores"], images.reshape(4, -1))


def test_inputs_and_outputs_may_be_lists_and_dicts_of_one(tmp_path):
    x = keras.Input((3,), name="numbers")
    y = keras.layers.Dense(2)(x)
    numbers = RNG.random((4, 3), np.float32)
    for i, model in enumerate((keras.Model([x], [y]), keras.Model({"numbers": x}, {"y": y}))):
        run = signatures(export.to_saved_model(model, tmp_path / str(i)))["serving_default"]
        expected = keras.Model(x, y).predict(numbers, verbose=0)
        np.testing.assert_allclose(run(features=tf.constant(numbers))["scores"], expected)
        np.testing.assert_allclose(export.from_keras(model).predict(numbers), expected)


def test_it_takes_the_place_of_nothing_but_a_saved_model(trained, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "model")
    export.to_saved_model(trained, tmp_path / "model")
    assert signatures(tmp_path / "model").keys() == {"serving_default", "serve"}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    for path, told in (
        ("mine", " holds files that are not of a SavedModel. Choose an empty or a new folder."),
        ("mine/thesis.txt", " to be a folder. It is a file."),
    ):
        with pytest.raises(RequestError) as caught:
            export.to_saved_model(trained, tmp_path / path)
        begins = "" if path == "mine" else "Expected "
        assert str(caught.value) == f"{begins}{str(tmp_path / path)!r}{told}"
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years"
