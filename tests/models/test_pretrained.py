"""Weights of a file: all of them or an error; and a failed download as one sentence."""

import keras
import numpy as np
import pytest

from tfpipe.errors import DataError, RequestError
from tfpipe.models.pretrained import checked_file, downloading, load_whole

WHAT = "the weights of a small model"


def small(num_features=3):
    x = keras.Input((num_features,))
    return keras.Model(x, keras.layers.Dense(2, name="dense")(x))


def refused(path):
    with pytest.raises(DataError) as caught:
        load_whole(small(), path, WHAT)
    return str(caught.value)


def test_a_model_gets_the_weights_of_a_file(tmp_path):
    given, model, path = small(), small(), tmp_path / "a.weights.h5"
    given.save_weights(path)
    load_whole(model, path, WHAT)
    np.testing.assert_array_equal(model.get_weights()[0], given.get_weights()[0])


def test_a_file_of_another_model_is_refused(tmp_path):
    path = tmp_path / "a.weights.h5"
    small(4).save_weights(path)
    assert refused(path).startswith(f"{path}: expected {WHAT}, found something else: ")
    path.write_bytes(b"broken")
    assert refused(path).startswith(f"{path}: expected {WHAT}, found something else: ")


def test_a_file_that_lacks_numbers_is_refused(tmp_path):
    path, model = tmp_path / "a.weights.h5", small()
    model.get_layer("dense").bias.assign([1.0, np.nan])
    model.save_weights(path)
    assert refused(path) == f"{path}: expected {WHAT}, found no numbers for dense/bias"


def test_a_path_where_no_file_is_is_refused(tmp_path):
    with pytest.raises(RequestError) as caught:
        checked_file(tmp_path / "none", "'imagenet'")
    assert str(caught.value) == (
        "Expected `weights` to be 'imagenet', None, or the path of a file. "
        f"Received: weights={str(tmp_path / 'none')!r}"
    )


@pytest.mark.parametrize("error", [OSError("no route"), Exception("URL fetch failure on x")])
def test_a_failed_download_is_a_sentence_with_the_ways_out(error):
    with pytest.raises(RequestError) as caught, downloading("The weights", "a.h5 of a friend"):
        raise error
    assert str(caught.value) == (
        f"The weights could not be downloaded ({error}). Pass weights=None to train from scratch, "
        "or the path of a file as `weights`: a.h5 of a friend."
    )


def test_what_is_no_failed_download_is_not_hidden():
    with pytest.raises(KeyError), downloading("The weights", "a.h5"):
        raise KeyError("a defect")
