"""The errors' sentences, whole."""

import pathlib
import pickle

import pytest
import tensorflow as tf

from tfpipe.errors import DataError, RequestError, one_of, received


def test_a_data_error_names_the_file():
    error = DataError(pathlib.Path("a/b.gz"), "expected 16 bytes, found 3")
    assert str(error) == "a/b.gz: expected 16 bytes, found 3"
    assert (error.path, error.problem, error.record) == (
        "a/b.gz",
        "expected 16 bytes, found 3",
        None,
    )


def test_a_data_error_names_the_record_even_if_it_is_the_first():
    assert str(DataError("a.tfrecord", "damaged", record=0)) == "a.tfrecord, record 0: damaged"


def test_a_data_error_comes_whole_from_another_process():
    error = pickle.loads(pickle.dumps(DataError("a.tfrecord", "damaged", record=7)))
    assert isinstance(error, DataError)
    assert str(error) == "a.tfrecord, record 7: damaged"
    assert (error.path, error.problem, error.record) == ("a.tfrecord", "damaged", 7)


def test_a_request_error_is_a_value_error():
    assert issubclass(RequestError, ValueError)
    assert not issubclass(DataError, ValueError)


def test_received_lists_every_argument():
    assert (
        received("`size` to be (height, width)", size=(0, 3), name="a")
        == "Expected `size` to be (height, width). Received: size=(0, 3), name='a'"
    )


def test_a_long_value_is_cut():
    sentence = received("a text that holds a word", text="." * 10_000)
    assert sentence == f"Expected a text that holds a word. Received: text='{'.' * 299}..."


def test_one_of_lists_the_first_of_many_and_knows_the_nearest():
    layers = [f"conv{number}" for number in range(176)]
    listed = ", ".join(map(repr, layers[:20]))
    assert one_of("layer", "conf150", layers) == (
        f"Expected `layer` to be one of {listed} and 156 others. Received: layer='conf150'. "
        "Did you mean 'conv150'?"
    )


def test_one_of_offers_the_nearest_member():
    assert (
        one_of("source", "minst", ("digits", "mnist"))
        == "Expected `source` to be one of 'digits', 'mnist'. Received: source='minst'. "
        "Did you mean 'mnist'?"
    )


def test_one_of_offers_nothing_where_nothing_is_near():
    assert (
        one_of("mode", 8, ("float32",))
        == "Expected `mode` to be one of 'float32'. Received: mode=8"
    )


def test_autograph_leaves_a_request_error_as_it_is():
    def refuse(number):
        if number.dtype.is_integer:
            raise RequestError("give a float")
        return number

    with pytest.raises(RequestError, match=r"^give a float$") as caught:
        tf.data.Dataset.range(3).map(refuse)
    assert type(caught.value) is RequestError
