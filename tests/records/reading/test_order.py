"""The order of the examples: a function of the seed and the epoch, whoever reads, wherever."""

import functools
import importlib
import json

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tfpipe import records

orders = importlib.import_module("tfpipe.records.reading.order")

NUM_EXAMPLES = 60
EPOCHS = 3


def source_of(labels, *, name="tiny"):
    """Images 4x4, each as bright as its number, all in one split."""

    def rows():
        for n, label in enumerate(labels):
            image = np.full((4, 4, 1), n, np.uint8)
            yield {"id": f"{n:03d}", "split": "train", "image": image, "label": label}

    features = {"image": records.Feature("image", (4, 4, 1)), "label": records.Feature("label")}
    return records.examples(rows, features, class_names=("a", "b", "c"), name=name)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Several shards."""
    labels = [n % 3 for n in range(NUM_EXAMPLES)]
    path = tmp_path_factory.mktemp("many") / "r"
    manifest = records.write(source_of(labels), path, shard_bytes=80)
    assert len(manifest.files("train")) > 10
    return manifest


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    """The same in one shard."""
    labels = [n % 3 for n in range(NUM_EXAMPLES)]
    manifest = records.write(source_of(labels), tmp_path_factory.mktemp("single") / "r")
    assert len(manifest.files("train")) == 1
    return manifest


@pytest.fixture(scope="module")
def rare(tmp_path_factory):
    """64, 12 and 4 examples of the classes, in one shard."""
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [64, 12, 4]))
    return records.write(source_of(labels.tolist()), tmp_path_factory.mktemp("rare") / "r")


@pytest.fixture(params=["many", pytest.param("single", marks=pytest.mark.slow)])
def manifest(request):
    return request.getfixturevalue(request.param)


def read(manifest, **options):
    return records.read(manifest, "train", **{"batch_size": 7, "shuffle_seed": 0, **options})


def one_pass(dataset):
    return [int(value) for inputs, *_ in dataset for value in inputs.numpy()[:, 0, 0, 0]]


def passes(dataset, number=EPOCHS):
    return [one_pass(dataset) for _ in range(number)]


@functools.cache
def undisturbed(manifest_path, **options):
    """The first epochs of one reading, with which others are compared; read once, it takes time."""
    return passes(read(records.load(manifest_path), **options), EPOCHS)


@pytest.mark.parametrize("balance", [False, True])
@pytest.mark.parametrize("cache", [False, True])
def test_the_same_arguments_give_the_same_order(manifest, cache, balance):
    options = {"cache": cache, "balance": balance}
    assert passes(read(manifest, **options)) == undisturbed(manifest.path, **options)


@pytest.mark.parametrize("cache", [False, True])
def test_every_epoch_is_another_permutation(manifest, cache):
    found = undisturbed(manifest.path, cache=cache, balance=False)
    assert [sorted(order) for order in found] == [list(range(NUM_EXAMPLES))] * EPOCHS
    assert len(set(map(tuple, found))) == EPOCHS


@pytest.mark.parametrize("balance", [False, True])
@pytest.mark.parametrize("cache", [False, True])
def test_every_seed_and_epoch_has_its_own_order(manifest, cache, balance):
    options = {"cache": cache, "balance": balance}
    found = undisturbed(manifest.path, **options) + [
        order
        for seed in (1, 2)
        for order in passes(read(manifest, shuffle_seed=seed, **options), 2)
    ]
    assert len(set(map(tuple, found))) == len(found) == EPOCHS + 4


@pytest.mark.parametrize("balance", [False, True])
@pytest.mark.parametrize("cache", [False, True])
def test_tensorflows_own_seed_does_not_matter(manifest, cache, balance):
    options = {"cache": cache, "balance": balance}
    for seed in (1, 2):
        tf.keras.utils.set_random_seed(seed)
        assert passes(read(manifest, **options), 2) == undisturbed(manifest.path, **options)[:2]
        assert tf.random.uniform([]) == drawn_after(seed)  # nor is it changed


def drawn_after(seed):
    tf.keras.utils.set_random_seed(seed)
    return tf.random.uniform([])


def test_the_order_does_not_depend_on_the_parallelism(many):
    expected = undisturbed(many.path, cache=False, balance=False)
    for size in (1, 16):
        options = tf.data.Options()
        options.threading.private_threadpool_size = size
        options.threading.max_intra_op_parallelism = 1
        options.autotune.enabled = size > 1
        assert passes(read(many).with_options(options)) == expected


def test_another_process_reads_in_the_same_order(many, python):
    code = (
        "import json; from tfpipe import records; "
        f"manifest = records.load({many.path!r}); "
        "found = [[[int(v) for x, _ in d for v in x.numpy()[:, 0, 0, 0]] for _ in range(2)] "
        "for d in [records.read(manifest, 'train', batch_size=7, shuffle_seed=0, cache=cache) "
        "for cache in (False, True)]]; "
        "print('FOUND', json.dumps(found))"
    )
    done = python(code)
    line = done.stdout.rpartition("FOUND ")[2]
    assert json.loads(line) == [
        undisturbed(many.path, cache=cache, balance=False)[:2] for cache in (False, True)
    ]


@pytest.mark.parametrize("cache", [False, True])
def test_without_a_seed_every_pass_keeps_the_order_on_disk(single, cache):
    on_disk = []
    for record in tf.data.TFRecordDataset(single.files("train")):
        feature = tf.train.Example.FromString(record.numpy()).features.feature
        on_disk.append(int(feature["id"].bytes_list.value[0]))
    found = passes(read(single, shuffle_seed=None, cache=cache), 2)
    assert found == [on_disk] * 2


def test_shards_are_read_in_turn(many):
    firsts = [
        int(tf.train.Example.FromString(record.numpy()).features.feature["id"].bytes_list.value[0])
        for file in many.files("train")[: orders.OPEN_FILES]
        for record in tf.data.TFRecordDataset(file).take(1)
    ]
    assert one_pass(read(many, shuffle_seed=None))[: orders.OPEN_FILES] == firsts


def test_the_window_is_bounded_in_bytes(single, monkeypatch):
    monkeypatch.setattr(orders, "SHUFFLE_BYTES", single.splits["train"].num_bytes // 10)
    on_disk = one_pass(read(single, shuffle_seed=None))
    dataset = read(single)
    first, second = passes(dataset, 2)
    assert sorted(first) == sorted(second) == sorted(on_disk)
    assert first != on_disk
    assert first != second
    # A record cannot come before it is in the window of a tenth of the records.
    lead = [on_disk.index(value) - place for place, value in enumerate(first)]
    assert max(lead) < NUM_EXAMPLES // 10


@pytest.mark.parametrize("balance", [False, True])
@pytest.mark.parametrize("cache", [False, True])
@pytest.mark.parametrize("start", [(0, 3), (1, 0), (2, 8)])
def test_a_late_start_gives_the_rest_of_the_undisturbed_run(many, start, cache, balance):
    options = {"cache": cache, "balance": balance}
    epoch, batch = start
    first, *others = undisturbed(many.path, **options)[epoch:]
    dataset = read(many, start=start, **options)
    assert passes(dataset, 1 + len(others)) == [first[batch * 7 :], *others]


@pytest.mark.parametrize("cache", [False, True])
def test_a_late_start_without_a_seed(many, cache):
    whole = one_pass(read(many, shuffle_seed=None))
    dataset = read(many, shuffle_seed=None, start=(4, 3), cache=cache)
    assert passes(dataset, 2) == [whole[21:], whole]


@pytest.mark.parametrize("cache", [False, True])
def test_balance_draws_all_classes_alike(rare, cache):
    counts = np.zeros(3, int)
    for _, labels in read(rare, balance=True, cache=cache):
        counts += np.bincount(labels, minlength=3)
    assert counts.sum() == 80
    # Each count is binomial: of 80 with odds of a third, this far off once in a million.
    low, high = stats.binom.ppf([1e-6, 1 - 1e-6], 80, 1 / 3)
    assert ((low <= counts) & (counts <= high)).all()


@pytest.mark.parametrize("cache", [False, True])
def test_balance_shows_every_example_in_the_course_of_epochs(rare, cache):
    # An example of the largest class comes with odds of (80/3)/64 in an epoch.
    seen = one_pass(read(rare, balance=True, cache=cache, batch_size=80).repeat(16))
    assert len(seen) == 16 * 80
    assert set(seen) == set(range(80))


@pytest.mark.parametrize("cache", [False, True])
def test_passes_that_are_repeated_are_epochs_too(many, cache):
    repeated = one_pass(read(many, cache=cache).repeat(EPOCHS))
    orders = undisturbed(many.path, cache=cache, balance=False)
    assert repeated == [value for order in orders for value in order]


@pytest.mark.parametrize("cache", [False, True])
def test_balance_leaves_out_classes_that_a_split_lacks(tmp_path, cache):
    def rows():
        for n in range(20):
            yield {"id": str(n), "split": "train" if n else "val", "text": str(n), "label": n % 2}
        yield {"id": "c", "split": "val", "text": "c", "label": 2}

    features = {"text": records.Feature("text"), "label": records.Feature("label")}
    source = records.examples(rows, features, class_names=("a", "b", "c"))
    manifest = records.write(source, tmp_path / "r")
    dataset = records.read(
        manifest, "train", batch_size=100, shuffle_seed=0, balance=True, cache=cache
    )
    labels = dataset.get_single_element()[1]
    assert len(labels) == 19
    assert set(labels.numpy()) == {0, 1}
