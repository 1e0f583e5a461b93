"""load(): every format, by its name; and what is no file to run."""

import concurrent.futures
import json
import shutil

import keras
import numpy as np
import pytest

from tfpipe import export
from tfpipe.errors import DataError, RequestError

NOISE = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 1), np.uint8)
FORMATS = ("saved_model", "onnx", "keras")


@pytest.fixture(scope="module")
def written(trained, prepare, tmp_path_factory):
    """The paths of the other formats' files."""
    folder = tmp_path_factory.mktemp("formats")
    x = keras.Input((32, 32, 1), dtype="uint8")
    model = keras.Model(x, trained(prepare.as_layer()(x)))
    model.save(folder / "a.keras")
    return {
        "saved_model": export.to_saved_model(trained, folder / "a", prepare=prepare),
        "onnx": export.to_onnx(trained, folder / "a.onnx", prepare=prepare),
        "keras": folder / "a.keras",
    }


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_says_what_it_is(written, name):
    assert repr(export.load(str(written[name]))) == (
        f"Predictor(name='{written[name].name}', format='{name}', mode='float32', "
        "input_shape=(32, 32, 1), dtype='uint8', sparsity=0.0)"
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_batch_gets_the_scores_of_its_images(written, trained, name):
    predictor = export.load(written[name])
    found = predictor.predict(NOISE)
    assert (found.shape, found.dtype) == ((40, 10), np.float32)
    expected = trained.predict(NOISE / np.float32(255), verbose=0)
    assert np.abs(found - expected).max() <= 1e-5
    assert np.abs(predictor.predict(NOISE[7:8]) - expected[7]).max() <= 1e-5


@pytest.mark.parametrize("name", FORMATS)
def test_eight_threads_get_the_answers_of_one(written, name):
    predictor = export.load(written[name])
    expected = predictor.predict(NOISE)
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        for scores in threads.map(predictor.predict, [NOISE] * 16):
            np.testing.assert_array_equal(scores, expected)


@pytest.mark.parametrize("name", FORMATS)
def test_wrong_images_are_refused_in_the_same_words(written, name):
    predictor = export.load(written[name])
    for images in (NOISE[:, :28], NOISE.astype(np.float32)):
        with pytest.raises(RequestError) as caught:
            predictor.predict(images)
        assert str(caught.value) == (
            f"{written[name].name} takes uint8 images of shape (N, 32, 32, 1). "
            f"Received: {images.dtype} of shape {images.shape}."
        )


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(RequestError) as caught:
        export.load(tmp_path / "a.tflite")
    assert str(caught.value) == f"Expected a model file. There is no file '{tmp_path}/a.tflite'."


def test_another_ending_is_refused(tmp_path):
    (tmp_path / "a.h5").touch()
    with pytest.raises(RequestError) as caught:
        export.load(tmp_path / "a.h5")
    assert str(caught.value) == (
        "Expected a SavedModel's folder, or a file that ends in '.tflite', '.onnx' or '.keras'. "
        f"Received: path='{tmp_path}/a.h5'"
    )


def test_no_threads_are_refused(written):
    with pytest.raises(RequestError) as caught:
        export.load(written["onnx"], threads=0)
    assert str(caught.value) == "Expected `threads` to be at least 1. Received: threads=0"


def test_a_file_that_is_not_what_tfpipe_wrote_is_refused(files, tmp_path):
    path = tmp_path / "a.tflite"
    shutil.copy(files["int8"], path)
    export.attach(path, {"tfpipe.json": json.dumps({"mode": "float32"})})
    with pytest.raises(DataError) as caught:
        export.load(path)
    assert str(caught.value) == (
        f"{path}: its tfpipe.json says that its mode is 'float32'; by its weights and operators "
        "it is 'int8'. Write it again"
    )


def test_words_of_tfpipes_that_are_damaged_are_refused(files, tmp_path):
    path = tmp_path / "a.tflite"
    data = files["int8"].read_bytes()
    place = data.rindex(b'"mode"')
    path.write_bytes(data[:place] + b"'" + data[place + 1 :])
    with pytest.raises(DataError) as caught:
        export.load(path)
    assert str(caught.value) == (
        f"{path}: its tfpipe.json cannot be read (Bad CRC-32 for file 'tfpipe.json')"
    )
