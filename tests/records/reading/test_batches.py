"""Batches from the disk and from memory: their sizes, keys, and what is decoded for them."""

import pytest
import tensorflow as tf

from tests.records.reading.small import NUM_TRAIN, read, rows
from tfpipe.records.reading import order


@pytest.mark.parametrize(("cache", "seed"), [(False, 7), (True, 7), (False, None)])
def test_every_example_has_its_key(manifest, cache, seed):
    class Keys:
        def stages(self):
            def whole(example):
                return {**example, "image": example.get("key", example["id"])}

            return lambda example: example, whole

    dataset = read(manifest, Keys(), cache=cache, shuffle_seed=seed, start=(3, 0))
    ids = [f"{n:06d}" for n in range(60)]
    for epoch in (3, 4):
        keys = [key.decode() for x, _ in dataset for key in x.numpy()]
        assert len(set(keys)) == NUM_TRAIN
        prefix = "" if seed is None else f"{seed}/{epoch}/"
        assert {key.removeprefix(prefix) for key in keys} <= set(ids)
        assert seed is None or all(key.startswith(prefix) for key in keys)


def counting(calls):
    def prepare(example):
        def count(image):
            calls.append(1)
            return image

        image = tf.py_function(count, [example["image"]], tf.string)
        return {**example, "image": tf.ensure_shape(image, ())}

    return prepare


@pytest.mark.parametrize("seed", [None, 0])
def test_what_is_skipped_is_not_decoded(manifest, seed):
    calls = []
    dataset = read(manifest, counting(calls), shuffle_seed=seed, start=(2, 4))
    assert calls == []
    assert sum(len(y) for _, y in dataset) == len(calls) == NUM_TRAIN - 4 * 8


def test_what_is_cached_is_decoded_once(manifest):
    calls = []
    dataset = read(manifest, counting(calls), shuffle_seed=0, cache=True)
    for _ in range(2):
        assert sum(len(y) for _, y in dataset) == len(calls) == NUM_TRAIN


@pytest.mark.parametrize("options", [{}, {"shuffle_seed": 3, "start": (2, 2)}])
def test_pythons_code_gets_what_tensorflows_gets(manifest, options):
    """The one example by example, the other batch by batch."""

    def plain(example):
        return {**example, "image": tf.io.decode_png(example["image"], 3)[:5]}

    def pythons(example):
        image = tf.numpy_function(lambda pixels: pixels, [plain(example)["image"]], tf.uint8)
        return {**plain(example), "image": tf.ensure_shape(image, (5, 6, 3))}

    found = [rows(read(manifest, prepare, **options)) for prepare in (plain, pythons)]
    assert found[0] == found[1]
    assert len(found[0]) == NUM_TRAIN - 8 * options.get("start", (0, 0))[1]


def test_random_draws_differ_from_example_to_example(manifest):
    def draw(example):
        return {**example, "image": tf.random.uniform(())}

    dataset = read(manifest, draw)
    assert len({float(x) for images, _ in dataset for x in images}) == NUM_TRAIN


def test_a_functions_numbers_and_lists_are_tensors(manifest):
    inputs, targets = read(manifest, lambda example: {"image": [1.0, 2.0], "label": 3}).element_spec
    assert inputs == tf.TensorSpec((None, 2), tf.float32)
    assert targets == tf.TensorSpec((None,), tf.int32)


def test_large_records_come_in_the_order_of_small_ones(manifest, monkeypatch):
    def at(num_bytes):
        monkeypatch.setattr(order, "SMALL_BYTES", num_bytes)
        return rows(read(manifest, shuffle_seed=1))

    assert at(0) == at(2**20)


def test_the_end_of_a_pass_waits_for_no_autotuner(manifest):
    for dataset in (read(manifest), read(manifest).map(lambda x, y: x, tf.data.AUTOTUNE)):
        assert dataset.options().autotune.enabled is False


@pytest.mark.parametrize("cache", [False, True])
@pytest.mark.parametrize("batch_size", [1, 9, 10, 45, 100])
def test_the_last_batch_may_be_smaller(manifest, batch_size, cache):
    dataset = read(manifest, batch_size=batch_size, cache=cache)
    sizes = [len(y) for _, y in dataset]
    full, rest = divmod(NUM_TRAIN, batch_size)
    assert sizes == [batch_size] * full + [rest] * (rest > 0)
    assert len(dataset) == len(sizes)
    late = read(manifest, batch_size=batch_size, cache=cache, start=(3, 0))
    assert len(late) == len(sizes)


@pytest.mark.parametrize("cache", [False, True])
def test_a_first_pass_that_is_shorter_has_no_length(manifest, cache):
    dataset = read(manifest, cache=cache, start=(0, 1))
    assert dataset.cardinality() == tf.data.UNKNOWN_CARDINALITY
    assert [len(list(dataset)) for _ in range(2)] == [5, 6]


@pytest.mark.filterwarnings("ignore:Your input ran out of data:UserWarning")  # of no length
def test_keras_trains_on_from_a_late_start_epoch_by_epoch(manifest):
    model = tf.keras.Sequential([tf.keras.Input((8, 6, 3), dtype="uint8")])
    model.add(tf.keras.layers.Rescaling(1 / 255))
    model.add(tf.keras.layers.Flatten())
    model.add(tf.keras.layers.Dense(3, "softmax"))
    model.compile("sgd", "sparse_categorical_crossentropy")
    seen = []
    count = tf.keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(1))
    dataset = read(manifest, shuffle_seed=0, start=(1, 4))
    for epoch in (1, 2, 3):
        arguments = {"initial_epoch": epoch, "epochs": epoch + 1, "shuffle": False, "verbose": 0}
        model.fit(dataset, callbacks=[count], **arguments)
    assert len(seen) == (6 - 4) + 6 + 6
