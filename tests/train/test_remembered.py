"""What callbacks remember, to arrays and JSON and back."""

import collections
import copy
import itertools
import json

import keras
import numpy as np
import pytest

from tests.train.small import TRAIN, VAL, classifier, fit
from tfpipe.train import remembered


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        1.5,
        float("inf"),
        0.1 + 0.2,
        "text",
        [1, (2.0, "three")],
        {"a": [1], 2: None},
        {1, 2},
        frozenset([1]),
        collections.deque([1, 2]),
        keras.ops.less,
        np.float32(0.1),
        np.arange(3),
        [np.eye(2), {"deep": (np.int64(7),)}],
    ],
)
def test_what_is_plain_comes_back_as_it_was(value):
    arrays = {}
    text = json.dumps(remembered.packed(value, arrays))
    found = remembered.unpacked(json.loads(text), arrays)
    assert type(found) is type(value)
    assert repr(found) == repr(value)


def test_a_callback_keeps_what_the_training_changed():
    stopping = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    before = remembered.of_callbacks([stopping])[0]
    assert "model" not in before
    stopping.wait, stopping.best_weights = 2, [np.ones(2)]
    changed = remembered.changed(remembered.of_callbacks([stopping])[0], before)
    assert sorted(changed) == ["best_weights", "wait"]


def test_what_is_no_plain_value_is_left_out():
    callback = keras.callbacks.LambdaCallback()
    callback.file, callback.count = (lambda: open), 3
    assert "file" not in remembered.of_callbacks([callback])[0]
    assert remembered.of_callbacks([callback])[0]["count"] == 3


class Counts(keras.callbacks.Callback):
    """Remembers in all the ways that are kept, one of which is another's list."""

    def __init__(self, out):
        super().__init__()
        self.out, self.seen = out, collections.Counter()
        self.last, self.best = collections.deque(maxlen=2), {"weights": np.zeros(3)}
        self.odd, self.mean = False, keras.metrics.Mean()

    def on_epoch_begin(self, epoch, logs=None):
        self.odd = not self.odd

    def on_train_batch_end(self, batch, logs=None):
        self.out.append(batch)
        self.seen[batch % 4] += 1
        self.last.append(batch)
        self.mean.update_state(batch)


class Killed(Exception):
    """The process ends here, so to speak."""


def stop(after):
    """A callback that ends the training after so many batches, and remembers nothing."""
    left = itertools.count(after, -1)

    def on_train_batch_begin(batch, logs=None):
        if next(left) == 0:
            raise Killed

    return keras.callbacks.LambdaCallback(on_train_batch_begin=on_train_batch_begin)


@pytest.mark.parametrize("after", [3, 8])
def test_a_callback_goes_on_with_containers_of_its_own(tmp_path, after):
    options = {"epochs": 3, "steps_per_call": 1, "checkpoint_s": 0, "resume": tmp_path / "run"}
    with pytest.raises(Killed):
        fit(classifier(), TRAIN, callbacks=[Counts([]), stop(after)], **options)
    out = []
    counts = Counts(out)
    fit(classifier(), TRAIN, callbacks=[counts, stop(-1)], **options)
    assert out == [*range(6)] * 3
    assert counts.seen == {0: 6, 1: 6, 2: 3, 3: 3}
    assert isinstance(counts.seen, collections.Counter)
    assert (counts.last, counts.last.maxlen) == (collections.deque([4, 5]), 2)
    assert float(counts.mean.result()) == 2.5


def test_what_came_back_to_where_it_began_is_put_back(tmp_path):
    options = {"epochs": 4, "steps_per_call": 1, "checkpoint_s": 0, "resume": tmp_path / "run"}
    with pytest.raises(Killed):  # in the second epoch
        fit(classifier(), TRAIN, callbacks=[Counts([]), stop(9)], **options)
    counts = Counts([])
    fit(classifier(), TRAIN, callbacks=[counts, stop(-1)], **options)
    assert counts.odd is False


def watching():
    """Callbacks that turn the sign of `min_delta` when they see the first epoch's logs."""
    return [
        keras.callbacks.ReduceLROnPlateau(patience=1, min_delta=0.5, factor=0.5),
        keras.callbacks.EarlyStopping(patience=4, min_delta=0.5),
    ]


def test_what_is_too_small_to_count_stays_so(tmp_path):
    options = {"epochs": 8, "steps_per_call": 1, "checkpoint_s": 0}
    expected = fit(classifier(), TRAIN, VAL, callbacks=[*watching(), stop(-1)], **options)
    options["resume"] = tmp_path / "run"
    with pytest.raises(Killed):
        fit(classifier(), TRAIN, VAL, callbacks=[*watching(), stop(9)], **options)
    found = fit(classifier(), TRAIN, VAL, callbacks=[*watching(), stop(-1)], **options)
    assert found.history["learning_rate"] == expected.history["learning_rate"]
    assert len(found.epoch) == len(expected.epoch) == 5


def test_what_changed_is_found_in_containers_of_arrays():
    before = {"best": {"weights": np.zeros(3)}, "few": {"a": 1}}
    now = copy.deepcopy(before)
    assert sorted(remembered.changed(now, before)) == ["best"]  # arrays are always kept
