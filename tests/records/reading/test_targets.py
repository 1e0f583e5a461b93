"""(inputs, targets) of all kinds of examples, in real Keras models; weights by scikit-learn."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.utils.class_weight import compute_class_weight

from tfpipe import ops, records
from tfpipe.errors import RequestError
from tfpipe.records.reading.targets import weight_table

NAMES = ("cat", "dog", "cow")
GREYS = {0: 0, 100: 1, 255: 2}
TABLE = tuple(GREYS.get(grey, -1) for grey in range(256))
Feature = records.Feature
IMAGE = Feature("image", (6, 8, 1))
LABEL = Feature("label")


def write(path, rows, features, *, class_names=NAMES):
    rows = [{"id": f"{n:03d}", "split": "train", **row} for n, row in enumerate(rows)]
    return records.write(records.examples(rows, features, class_names=class_names), path)


def images(number, shape=(6, 8, 1)):
    return np.random.default_rng(0).integers(0, 256, (number, *shape), np.uint8)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """12 images: 6, 4 and 2 of the classes."""
    labels = np.repeat([0, 1, 2], [6, 4, 2])
    rows = [{"image": x, "label": y} for x, y in zip(images(12), labels, strict=True)]
    return write(tmp_path_factory.mktemp("labelled") / "r", rows, {"image": IMAGE, "label": LABEL})


def read(manifest, **options):
    return records.read(manifest, "train", **{"batch_size": 5, **options})


def fit(dataset, layers, loss, shape, dtype="uint8"):
    """Trains a small model and returns it."""
    model = tf.keras.Sequential([tf.keras.Input(shape, dtype=dtype), *layers])
    model.compile("sgd", loss)
    (found,) = model.fit(dataset, verbose=0, shuffle=False).history["loss"]
    assert np.isfinite(found)
    return model


# Every structure


def test_images_and_labels(labelled):
    dataset = read(labelled)
    assert dataset.element_spec == (
        tf.TensorSpec((None, None, None, 1), tf.uint8),
        tf.TensorSpec((None,), tf.int64),
    )
    inputs, targets = zip(*dataset.as_numpy_iterator(), strict=True)
    np.testing.assert_array_equal(np.concatenate(inputs), images(12))
    np.testing.assert_array_equal(np.concatenate(targets), np.repeat([0, 1, 2], [6, 4, 2]))
    layers = [tf.keras.layers.Rescaling(1 / 255), tf.keras.layers.Flatten()]
    layers += [tf.keras.layers.Dense(3, "softmax")]
    model = fit(dataset, layers, "sparse_categorical_crossentropy", (6, 8, 1))
    assert model.predict(dataset, verbose=0).shape == (12, 3)
    assert np.isfinite(model.evaluate(dataset, verbose=0))


def test_images_with_several_labels(tmp_path):
    sets = [[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1], [0, 0, 1], [1, 0, 0]]
    rows = [{"image": x, "labels": y} for x, y in zip(images(6), sets, strict=True)]
    features = {"image": IMAGE, "labels": Feature("labels", (3,))}
    dataset = read(write(tmp_path / "r", rows, features))
    assert dataset.element_spec[1] == tf.TensorSpec((None, 3), tf.int64)
    assert [y.shape for _, y in dataset] == [(5, 3), (1, 3)]
    assert [labels.tolist() for _, y in dataset for labels in y.numpy()] == sets
    layers = [tf.keras.layers.Rescaling(1 / 255), tf.keras.layers.Flatten()]
    fit(dataset, [*layers, tf.keras.layers.Dense(3, "sigmoid")], "binary_crossentropy", (6, 8, 1))


def test_images_and_masks(tmp_path):
    greys = np.random.default_rng(1).choice(list(GREYS), (6, 6, 8, 1)).astype(np.uint8)
    rows = [{"image": x, "mask": y} for x, y in zip(images(6, (6, 8, 3)), greys, strict=True)]
    features = {"image": Feature("image", (6, 8, 3)), "mask": Feature("mask", table=TABLE)}
    dataset = read(write(tmp_path / "r", rows, features))
    assert dataset.element_spec[1].dtype == tf.int32
    np.testing.assert_array_equal(np.concatenate([x for x, _ in dataset]), images(6, (6, 8, 3)))
    expected = np.select([greys == grey for grey in GREYS], list(GREYS.values()))
    np.testing.assert_array_equal(np.concatenate([y for _, y in dataset]), expected)
    layers = [
        tf.keras.layers.Rescaling(1 / 255),
        tf.keras.layers.Conv2D(3, 1, activation="softmax"),
    ]
    fit(dataset, layers, "sparse_categorical_crossentropy", (6, 8, 3))


def test_texts(tmp_path):
    texts = ["good", "schön", "bad film", "", "日本", "good film"]
    rows = [{"text": text, "label": n % 3} for n, text in enumerate(texts)]
    dataset = read(write(tmp_path / "r", rows, {"text": Feature("text"), "label": LABEL}))
    assert dataset.element_spec[0] == tf.TensorSpec((None,), tf.string)
    assert [text.decode() for x, _ in dataset for text in x.numpy()] == texts
    words = tf.keras.layers.TextVectorization(output_sequence_length=4)
    words.adapt(texts)
    layers = [words, tf.keras.layers.Embedding(20, 4), tf.keras.layers.GlobalAveragePooling1D()]
    layers += [tf.keras.layers.Dense(3, "softmax")]
    fit(dataset, layers, "sparse_categorical_crossentropy", (), "string")


def test_sequences(tmp_path):
    values = np.random.default_rng(0).normal(size=(6, 7, 2)).astype(np.float32)
    rows = [{"sequence": x, "label": n % 3} for n, x in enumerate(values)]
    features = {"sequence": Feature("sequence", (7, 2)), "label": LABEL}
    dataset = read(write(tmp_path / "r", rows, features))
    assert dataset.element_spec[0] == tf.TensorSpec((None, 7, 2), tf.float32)
    np.testing.assert_array_equal(np.concatenate([x for x, _ in dataset]), values)
    layers = [tf.keras.layers.Flatten(), tf.keras.layers.Dense(3, "softmax")]
    fit(dataset, layers, "sparse_categorical_crossentropy", (7, 2), "float32")


FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=5)
@given(
    arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(0, 3)), elements=FINITE),
    st.booleans(),
)
def test_targets_come_back_as_they_were(tmp_path_factory, targets, cache):
    targets = targets if targets.shape[1] else np.arange(len(targets), dtype=np.float32)
    rows = [{"sequence": np.full((2, 1), n), "target": y} for n, y in enumerate(targets)]
    features = {
        "sequence": Feature("sequence", (2, 1)),
        "target": Feature("target", targets[0].shape),
    }
    manifest = write(tmp_path_factory.mktemp("targets") / "r", rows, features, class_names=())
    builder = tfds.builder_from_directory(manifest.path)
    independent = sorted(tfds.as_numpy(builder.as_dataset(split="train")), key=lambda e: e["id"])
    np.testing.assert_array_equal([e["target"] for e in independent], targets)
    found = list(read(manifest, cache=cache).as_numpy_iterator())
    assert all(y.dtype == np.float32 for _, y in found)
    np.testing.assert_array_equal(np.concatenate([y for _, y in found]), targets)
    np.testing.assert_array_equal(np.concatenate([x[:, 0, 0] for x, _ in found]), range(len(rows)))


@pytest.mark.parametrize("shape", [(), (2,)])
def test_a_model_of_targets(tmp_path, shape):
    random = np.random.default_rng(0)
    values, targets = random.normal(size=(6, 3, 1)), random.normal(size=(6, *shape))
    rows = [{"sequence": x, "target": y} for x, y in zip(values, targets, strict=True)]
    features = {"sequence": Feature("sequence", (3, 1)), "target": Feature("target", shape)}
    dataset = read(write(tmp_path / "r", rows, features, class_names=()))
    assert dataset.element_spec[1] == tf.TensorSpec((None, *shape), tf.float32)
    layers = [tf.keras.layers.Flatten(), tf.keras.layers.Dense(*shape or (1,))]
    model = fit(dataset, layers, "mse", (3, 1), "float32")
    found = model.predict(values, verbose=0).reshape(targets.shape)
    expected = np.mean((found - targets) ** 2)
    assert model.evaluate(dataset, verbose=0) == pytest.approx(expected, rel=1e-5)


BOXES = [
    ([[0, 0, 0.5, 1], [0.25, 0.5, 0.75, 1]], [0, 2]),
    ([], []),
    ([[0.5, 0.5, 1, 1]], [1]),
    ([[0, 0, 1, 1]] * 3, [2, 1, 0]),
]


def boxed(path, *, sizes=((6, 8),) * 4):
    rows = [
        {"image": np.full((*size, 1), n + 1, np.uint8), "boxes": boxes, "classes": classes}
        for n, (size, (boxes, classes)) in enumerate(zip(sizes, BOXES, strict=True))
    ]
    features = {"image": Feature("image", (None, None, 1)), "boxes": Feature("boxes")}
    return write(path, rows, features | {"classes": Feature("classes")})


@pytest.mark.parametrize("cache", [False, True])
def test_boxes_are_padded_in_each_batch(tmp_path, cache):
    dataset = read(boxed(tmp_path / "r"), batch_size=3, cache=cache)
    assert dataset.element_spec[1]["boxes"].dtype == tf.float32
    assert dataset.element_spec[1]["classes"].dtype == tf.int64
    (_, first), (x, second) = dataset.as_numpy_iterator()
    width = 3 if cache else 2  # in memory, all are padded at once
    assert first["boxes"].shape == (3, width, 4)
    assert first["classes"].shape == (3, width)
    for place, (boxes, classes) in enumerate(BOXES[:3]):
        number = len(boxes)
        np.testing.assert_array_equal(first["boxes"][place, :number], np.reshape(boxes, (-1, 4)))
        np.testing.assert_array_equal(first["classes"][place, :number], classes)
        assert (first["boxes"][place, number:] == -1).all()
        assert (first["classes"][place, number:] == -1).all()
    assert second["classes"].tolist() == [[2, 1, 0]]
    assert (x == 4).all()


def test_boxes_in_a_model(tmp_path):
    dataset = read(boxed(tmp_path / "r"), batch_size=4)
    inputs = tf.keras.Input((6, 8, 1), dtype="uint8")
    hidden = tf.keras.layers.Flatten()(tf.keras.layers.Rescaling(1 / 255)(inputs))
    outputs = {
        "boxes": tf.keras.layers.Reshape((3, 4), name="boxes")(tf.keras.layers.Dense(12)(hidden)),
        "classes": tf.keras.layers.Dense(3, name="classes")(hidden),
    }
    model = tf.keras.Model(inputs, outputs)
    model.compile("sgd", {"boxes": "mae", "classes": "mae"})
    assert np.isfinite(model.fit(dataset, verbose=0, shuffle=False).history["loss"]).all()


def test_images_with_boxes_are_not_padded(tmp_path):
    # Boxes are fractions of their image: they would be wrong for a padded one.
    manifest = boxed(tmp_path / "r", sizes=((6, 8), (8, 6), (6, 8), (6, 8)))
    with pytest.raises(RequestError, match="Expected images of one size in a batch"):
        read(manifest)
    assert [x.shape[1:3] for x, _ in read(manifest, batch_size=1)][:2] == [(6, 8), (8, 6)]


def test_examples_without_a_target_are_refused(tmp_path):
    manifest = write(tmp_path / "r", [{"text": "a"}], {"text": Feature("text")}, class_names=())
    with pytest.raises(RequestError) as caught:
        read(manifest)
    assert str(caught.value) == (
        "Expected examples with an input ('image', 'text', 'sequence') and a target ('label', "
        "'labels', 'mask', 'target', 'boxes'). Received: 'id', 'text'"
    )


# Weights


@pytest.mark.parametrize("cache", [False, True])
def test_balanced_weights_are_scikit_learns(labelled, cache):
    dataset = read(labelled, weights="balanced", cache=cache)
    labels = np.repeat([0, 1, 2], [6, 4, 2])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    found = np.concatenate([weights for *_, weights in dataset])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected[labels], rtol=1e-6)
    assert found.mean() == pytest.approx(1)


def test_a_class_that_the_split_lacks_has_no_part_in_balanced_weights(labelled):
    splits = {"train": dataclasses.replace(labelled.splits["train"], class_counts=(6, 0, 2))}
    table = weight_table(dataclasses.replace(labelled, splits=splits), "train", "balanced")
    weights = compute_class_weight("balanced", classes=np.array([0, 2]), y=[0] * 6 + [2] * 2)
    np.testing.assert_allclose(table, [weights[0], 0, weights[1]], rtol=1e-6)


def test_weights_by_name(labelled):
    dataset = read(labelled, weights={"cow": 4, "cat": 0.5, "dog": 1})
    found = [float(weight) for *_, weights in dataset for weight in weights]
    assert found == [0.5] * 6 + [1.0] * 4 + [4.0] * 2


def test_weights_need_the_label_that_mixing_replaces(labelled):
    prepare = ops.Chain([ops.Decode(channels=1), ops.CutMix(num_classes=3)])
    with pytest.raises(RequestError) as caught:
        records.read(labelled, "train", prepare, batch_size=5, shuffle_seed=0, weights="balanced")
    assert str(caught.value) == (
        "`weights` go by each example's `label`, and `prepare` gives none (ops that mix images "
        "replace it by `labels`). Leave `weights` out, or that op."
    )


def test_keras_takes_the_weights(labelled):
    rescaling, flatten = tf.keras.layers.Rescaling(1 / 255), tf.keras.layers.Flatten()
    tf.keras.utils.set_random_seed(0)
    model = tf.keras.Sequential([tf.keras.Input((6, 8, 1), dtype="uint8"), rescaling, flatten])
    model.add(tf.keras.layers.Dense(3, "softmax"))
    model.compile("sgd", "sparse_categorical_crossentropy")
    weights = {"cat": 0, "dog": 0, "cow": 1}
    x, y = read(labelled, batch_size=12).get_single_element()
    odds = model.predict(x, verbose=0)[np.arange(12), y]
    expected = -np.log(odds)[10:].sum() / 12
    weighted = read(labelled, weights=weights, batch_size=12)
    assert model.evaluate(weighted, verbose=0) == pytest.approx(expected, rel=1e-4)
    assert np.isfinite(model.fit(weighted, verbose=0, shuffle=False).history["loss"]).all()


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (
            "balance",
            "Expected `weights` to be one of 'balanced'. Received: weights='balance'. "
            "Did you mean 'balanced'?",
        ),
        (
            {"cat": 1.0, "dog": 2.0},
            "Expected `weights` to name every class: cat, dog, cow. "
            "Received: weights={'cat': 1.0, 'dog': 2.0}",
        ),
        (
            {"cat": 1, "dog": 2, "cow": -1},
            "Expected `weights` to be numbers from 0. "
            "Received: weights={'cat': 1, 'dog': 2, 'cow': -1}",
        ),
    ],
)
def test_weights_that_do_not_fit(labelled, weights, sentence):
    with pytest.raises(RequestError) as caught:
        read(labelled, weights=weights)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("options", [{"weights": "balanced"}, {"balance": True, "shuffle_seed": 0}])
def test_what_is_about_classes_needs_one_label(tmp_path, options):
    manifest = boxed(tmp_path / "r")
    with pytest.raises(RequestError) as caught:
        read(manifest, **options)
    assert str(caught.value) == (
        f"Expected examples with one `label` for `{next(iter(options))}`. "
        "'examples' has: image, boxes, classes"
    )
