"""Training and serving see the same tensors, bit for bit: the pipeline, and every file.

The model is an identity, so that a file's scores are what its preprocessing made of the image.
"""

import cv2
import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tfpipe import export, ops, records

RNG = np.random.default_rng(0)
SIZES = ((40, 48), (57, 31), (97, 64), (33, 120))


def scene(height, width, channels):
    """Soft shapes and some noise: what a photograph has, and what CLAHE works on."""
    small = RNG.normal(size=(6, 7, channels)) * 60 + 120
    image = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    image = image.reshape(height, width, channels) + RNG.normal(size=(height, width, channels)) * 8
    return image.clip(0, 255).round().astype(np.uint8)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """JPEG and PNG files, grey and in colour, of odd sizes, as records."""
    folder = tmp_path_factory.mktemp("images")
    for place, (size, channels, ending) in enumerate(
        (size, channels, ending)
        for size in SIZES
        for channels in (1, 3)
        for ending in ("jpg", "png")
    ):
        file = folder / "data" / "ab"[place % 2] / f"{place}.{ending}"
        file.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(file), scene(*size, channels))
    source = records.image_folder(folder / "data", split={"train": 1.0})
    return records.write(source, folder / "records")


def gathered(manifest, split, prepare):
    """What `records.read` makes of the images, in the records' order."""
    batches = records.read(manifest, split, prepare, batch_size=8)
    return np.concatenate([images for images, _ in batches.as_numpy_iterator()])


def identity(shape):
    x = keras.Input(shape)
    return keras.Model(x, keras.layers.Flatten()(x), name="identity")


def by_litert(path, images, delegates=True):
    kinds = OpResolverType
    kind = kinds.AUTO if delegates else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    litert = Interpreter(str(path), experimental_op_resolver_type=kind)
    runner = litert.get_signature_runner("serving_default")
    return np.concatenate([runner(images=image[None])["scores"] for image in images])


def by_onnxruntime(path, images):
    (scores,) = onnxruntime.InferenceSession(str(path)).run(["scores"], {"images": images})
    return scores


def by_every_runtime(chain, shape, pixels, folder, input_size=None):
    """What each runtime makes of the pixels; the SavedModel, loaded, comes along."""
    options = {"prepare": chain, "input_size": input_size}
    model = identity(shape)
    tflite = export.to_tflite(model, folder / "a.tflite", **options)
    onnx = export.to_onnx(model, folder / "a.onnx", **options)
    loaded = tf.saved_model.load(str(export.to_saved_model(model, folder / "a", **options)))
    return loaded, {
        "LiteRT": by_litert(tflite, pixels),
        "LiteRT without delegates": by_litert(tflite, pixels, delegates=False),
        "ONNX Runtime": by_onnxruntime(onnx, pixels),
        "SavedModel": loaded.signatures["serving_default"](images=tf.constant(pixels))["scores"],
    }


GREY, COLOUR, SMALL = ops.Decode(1), ops.Decode(3), ops.Resize((32, 40))
CHAINS = {
    "clahe": [
        GREY,
        ops.Resize((37, 40)),
        ops.Clahe(3.0, (3, 2)),
        ops.ToFloat(),
        ops.Normalize((0.481,), (0.224,)),
    ],
    # Two products by constants in a row, which optimizers like to make one.
    "products": [
        COLOUR,
        SMALL,
        ops.CenterCrop((31, 32)),
        ops.Grayscale(),
        ops.ToFloat(),
        ops.Normalize((0.0,), (0.3,)),
    ],
}
SLOW_CHAINS = {
    "imagenet": [COLOUR, SMALL, ops.CenterCrop((31, 32)), ops.ToFloat(), ops.Normalize("imagenet")],
    "grey": [GREY, SMALL, ops.ToFloat()],
    "clahe lab": [COLOUR, SMALL, ops.Clahe(colour="lab"), ops.ToFloat(), ops.Normalize("imagenet")],
    "clahe channels": [COLOUR, SMALL, ops.Clahe(40.0, (4, 5), "channels"), ops.ToFloat()],
    "clahe of grey": [COLOUR, SMALL, ops.Grayscale(), ops.Clahe(), ops.ToFloat()],
    "area": [COLOUR, ops.Resize((30, 31), "area"), ops.ToFloat()],
    "letterbox": [COLOUR, ops.Resize((32, 32), letterbox=True), ops.ToFloat()],
    "caffe": [COLOUR, SMALL, ops.PreprocessInput("caffe")],
    "tf": [COLOUR, SMALL, ops.PreprocessInput("tf")],
    "torch": [COLOUR, SMALL, ops.PreprocessInput("torch")],
}
RESIZING = {
    "antialiased": [GREY, SMALL, ops.ToFloat()],
}
SLOW_RESIZING = {
    "colour": [COLOUR, SMALL, ops.ToFloat()],
    "area": SLOW_CHAINS["area"],
    "letterbox": SLOW_CHAINS["letterbox"],
    "crop": [COLOUR, ops.Resize((40, 40)), ops.CenterCrop((31, 32)), ops.ToFloat()],
    "crop first": [COLOUR, ops.CenterCrop((50, 60)), SMALL, ops.ToFloat()],
    "larger": [GREY, ops.Resize((100, 90)), ops.ToFloat()],
}


def cases(quick, slow):
    marked = [pytest.param(ops.Chain(c), id=k, marks=pytest.mark.slow) for k, c in slow.items()]
    return [pytest.param(ops.Chain(c), id=k) for k, c in quick.items()] + marked


@pytest.mark.parametrize("chain", cases(CHAINS, SLOW_CHAINS))
def test_every_file_makes_of_an_image_what_training_makes_of_it(manifest, chain, tmp_path):
    compare(manifest, "train", chain, tmp_path)


def compare(manifest, split, chain, tmp_path):
    trained_on = gathered(manifest, split, chain)
    expected = trained_on.reshape(len(trained_on), -1)
    pixels = gathered(manifest, split, chain.outside())
    loaded, found = by_every_runtime(chain, trained_on.shape[1:], pixels, tmp_path)
    encoded = gathered(manifest, split, lambda example: example)
    found["bytes"] = loaded.signatures["encoded"](encoded=tf.constant(encoded))["scores"]
    for runtime, tensors in found.items():
        np.testing.assert_array_equal(tensors, expected, runtime, strict=True)


@pytest.mark.parametrize("chain", cases(RESIZING, SLOW_RESIZING))
def test_with_resizing_inside_a_file_is_within_one_grey_level(manifest, chain, tmp_path):
    pixels = gathered(manifest, "train", chain.outside((61, 75)))
    expected = chain.inside((61, 75))({"image": pixels})["image"].numpy()
    _, found = by_every_runtime(chain, expected.shape[1:], pixels, tmp_path, (61, 75))
    expected = expected.reshape(len(expected), -1)
    np.testing.assert_array_equal(found.pop("SavedModel"), expected)
    for runtime, tensors in found.items():
        greys = np.abs(np.rint(tensors * 255) - np.rint(expected * 255))
        assert greys.max() <= 1, runtime
        assert greys.mean() < 0.01, runtime


def test_real_x_rays(shared_data, tmp_path):
    folder = shared_data("covid_xray") / "val"
    source = records.image_folder(folder, split={"test": 0.1, "rest": 0.9})
    manifest = records.write(source, tmp_path / "records")
    chain = ops.Chain([GREY, ops.Resize((160, 150)), ops.Clahe(), ops.ToFloat()])
    compare(manifest, "test", chain, tmp_path)
