"""Batches from the disk and from memory: their sizes, keys, and what is decoded for them."""

import pytest
import tensorflow as tf

from tests.records.reading.small import NUM_TRAIN, read


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
