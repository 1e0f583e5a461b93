"""ResNet50 against keras.applications, with weights from a file; and without a network."""

import urllib.error
import urllib.request

import keras
import numpy as np
import pytest

from tfpipe import models, ops
from tfpipe.errors import DataError, RequestError
from tfpipe.models.resnet import _coloured

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (2, 32, 32, 1), np.uint8)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """keras.applications' model without its head, and a file with its weights."""
    keras.utils.set_random_seed(0)
    model = keras.applications.ResNet50(
        include_top=False, weights=None, pooling="avg", input_shape=(32, 32, 3)
    )
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(RNG.normal(0, 0.1, layer.moving_mean.shape))
    path = tmp_path_factory.mktemp("weights") / "notop.weights.h5"
    model.save_weights(path)
    return model, path


def by_hand(base, model, images):
    kernel, bias = (v.numpy() for v in model.layers[-1].weights)
    return base.predict(images, verbose=0) @ kernel + bias


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
def test_it_computes_what_keras_applications_compute(base, channels):
    """From a file of weights; a grey image goes in as the three equal channels of it would."""
    base, path = base
    model = models.resnet50((32, 32, channels), 4, activation="linear", weights=path)
    colours = np.repeat(PIXELS, 3, -1)
    expected = by_hand(base, model, keras.applications.resnet.preprocess_input(colours * 1.0))
    pixels, style = (colours, "caffe") if channels == 3 else (PIXELS, "none")
    images = ops.PreprocessInput(style)({"image": pixels})["image"]
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, rtol=1e-4, atol=1e-4)
    assert np.abs(expected).max() > 1e-2


def test_greys_become_what_caffe_makes_of_three_equal_channels():
    x = keras.Input((32, 32, 1))
    given = keras.Model(x, _coloured(x))(PIXELS.astype(np.float32))
    colours = np.repeat(PIXELS, 3, -1) * 1.0
    expected = keras.applications.resnet.preprocess_input(colours)
    np.testing.assert_allclose(given, expected, atol=1e-4)


def test_with_weights_the_head_alone_trains(base):
    model = models.resnet50((32, 32, 1), 4, weights=base[1])
    assert [weight.path for weight in model.trainable_weights] == [
        "probabilities/kernel",
        "probabilities/bias",
    ]


@pytest.mark.slow
def test_without_weights_everything_trains():
    model = models.resnet50((32, 32, 3), weights=None)
    assert all(layer.trainable for layer in model.layers)
    assert len(model.layers) == 175 + 2  # keras.applications' layers, pooling and head


def download_refused(monkeypatch, error):
    def urlopen(*arguments, **options):
        raise error

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    with pytest.raises(RequestError) as caught:
        models.resnet50((32, 32, 3))
    return str(caught.value)


@pytest.mark.parametrize("error", [urllib.error.URLError("no route"), TimeoutError("timed out")])
def test_no_network_is_one_sentence_with_two_ways_out(monkeypatch, tmp_path, error):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(tmp_path))
    sentence = download_refused(monkeypatch, error)
    begin, end = sentence.split(" (", 1)[0], sentence.split("). ", 1)[1]
    assert begin == "The ImageNet weights of ResNet50 could not be downloaded"
    assert str(error.args[0]) in sentence
    assert end == (
        "Pass weights=None to train from scratch, or the path of a file as `weights`: "
        "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5, which "
        "keras.applications.ResNet50(include_top=False) leaves in ~/.keras/models on a machine "
        "with a network."
    )


def test_a_file_that_is_not_there_is_refused():
    with pytest.raises(RequestError) as caught:
        models.resnet50(weights="imagenett")
    assert str(caught.value) == (
        "Expected `weights` to be 'imagenet', None, or the path of a file. "
        "Received: weights='imagenett'"
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["noise", "other"])
def test_a_file_of_something_else_is_refused(tmp_path, kind):
    path = tmp_path / "a.weights.h5"
    path.write_bytes(b"noise") if kind == "noise" else models.lenet5().save_weights(path)
    with pytest.raises(DataError) as caught:
        models.resnet50((32, 32, 3), weights=path)
    assert str(caught.value).startswith(
        f"{path}: expected the weights of keras.applications.ResNet50(include_top=False), found "
    )


def test_two_channels_are_refused():
    with pytest.raises(RequestError) as caught:
        models.resnet50((32, 32, 2), weights=None)
    assert str(caught.value) == (
        "Expected `input_shape` with 3 channels, or 1 for grey images. "
        "Received: input_shape=(32, 32, 2)"
    )
