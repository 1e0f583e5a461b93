"""The monitor: what it sees, how often it is wrong, that it is bounded, and that threads may."""

import dataclasses
import threading
import tracemalloc

import numpy as np
import pytest

from tfpipe import drift
from tfpipe.drift.looks import Looks


@pytest.fixture(scope="module")
def numbers():
    return drift.profile(np.random.default_rng(0).normal(size=(500, 3)))


@pytest.fixture(scope="module")
def answering(digits, trained, prepare):
    """Another profile of a label, and right answers to the digits."""
    images, labels = digits[0][1000:1100], digits[1][1000:1100]
    scores = np.full((100, 10), 0.02)
    scores[np.arange(100), labels] = 0.82
    profile = drift.profile((images, labels), trained, prepare)
    right = dataclasses.replace(profile, errors=np.r_[np.zeros(95), np.ones(5)])
    return right, images, labels, scores


def draw(seed, number, shift=0.0):
    return np.random.default_rng(seed).normal(size=(number, 3)) + shift


def test_a_shift_is_an_alarm_that_tells_everything(numbers):
    monitor = drift.Monitor(numbers, window=100)
    rows = draw(1, 16, [0, 0, 3])
    monitor.observe(rows, ids=[f"x{n}" for n in range(16)])
    alarm = next(a for a in monitor.alarms if a.finding.feature == "input/mean 2")
    assert alarm.num_examples == 16
    assert alarm.level == pytest.approx(0.00375)
    assert alarm.finding.now == pytest.approx(np.median(rows[:, 2]), abs=1e-6)
    assert alarm.finding.reference == pytest.approx(np.median(numbers.rows[:, 2]))
    assert [seen.id for seen in alarm.moved] == [f"x{n}" for n in np.argsort(-rows[:, 2])[:6]]
    assert str(alarm).startswith("After 16 examples: input/mean 2 is ")
    assert "Kolmogorov-Smirnov, p " in str(alarm)


def test_a_shift_in_the_middle_of_a_stream_is_found_and_told_once(numbers):
    monitor = drift.Monitor(numbers, window=100)
    for start in range(0, 400, 5):
        monitor.observe(draw(start, 5))
    assert monitor.alarms == ()
    for start in range(400, 600, 5):
        monitor.observe(draw(start, 5, [0, 0, 1.5]))
    told = [a.num_examples for a in monitor.alarms if a.finding.feature == "input/mean 2"]
    assert len(told) == 1
    assert told[0] <= 475
    assert monitor.state()["now/input/mean 2"] > 1


def test_an_alarm_that_ended_may_come_again(numbers):
    monitor = drift.Monitor(numbers, window=16)
    for number, shift in enumerate((5, 0, 5)):
        monitor.observe(draw(number, 16, [shift, 0, 0]))
    told = [a.num_examples for a in monitor.alarms if a.finding.feature == "input/mean 0"]
    assert told == [16, 48]


def alarmed(repeats, alert, step=16):
    """How many streams like the profile raise an alarm in their looks, and how many looks."""
    found, looks = 0, 0
    for repeat in range(repeats):
        rows = draw(repeat, 320)
        monitor = drift.Monitor(drift.profile(rows[:128]), window=64, alert=alert)
        for start in range(128, 320, step):
            monitor.observe(rows[start : start + step])
        found += bool(monitor.alarms)
        looks += monitor.state()["looks"]
    return found, looks / repeats


def test_of_streams_like_the_profile_few_alarm_in_all_their_looks():
    found, looks = alarmed(40, 0.1)
    assert looks == 11
    assert found <= 40 * 0.1


@pytest.mark.slow
@pytest.mark.parametrize("alert", [0.02, 0.1])
def test_of_200_streams_no_more_alarm_than_stated(alert):
    assert alarmed(200, alert, step=4)[0] <= 200 * alert


def test_without_spending_the_rate_the_looks_would_alarm_too_often(monkeypatch):
    """What the calendar is for: the same streams, with each look at the whole rate."""
    monkeypatch.setattr(Looks, "_of", lambda self, number: 0.1)
    assert alarmed(40, 0.1)[0] > 40 * 0.3


def test_late_labels_find_their_answers(answering):
    profile, images, labels, scores = answering
    monitor = drift.Monitor(profile, window=50)
    ids = [f"{n}" for n in range(100)]
    monitor.observe(images, scores, ids=ids)
    assert monitor.label(ids[:40], labels[:40]) == 40
    assert monitor.label(ids[:45], labels[:45]) == 5  # the others had theirs
    assert monitor.label(["never seen"], [1]) == 0
    assert monitor.state()["now/accuracy"] == 1.0
    assert monitor.label(ids[45:], (labels[45:] + 1) % 10) == 55
    assert monitor.state()["now/accuracy"] == 0.0  # the window's 50
    alarm = next(alarm for alarm in monitor.alarms if alarm.finding.feature == "accuracy")
    assert (alarm.finding.reference, alarm.finding.test) == (pytest.approx(0.95), "Fisher")


def test_slow_requests_are_an_alarm(numbers):
    known = dataclasses.replace(numbers, latency_ms=np.linspace(2, 4, 100))
    monitor = drift.Monitor(known, window=64)
    for number in range(64):
        monitor.observe(draw(number, 1), latency_ms=8.0 + number / 64)
    assert {a.finding.feature for a in monitor.alarms} >= {"latency/median", "latency/p95"}
    state = monitor.state()
    assert state["latency_ms/median"] == pytest.approx(8.5, abs=0.02)
    assert state["latency_ms/p99"] > state["latency_ms/p95"]


def test_without_a_latency_in_the_profile_that_of_the_first_window_counts(numbers):
    assert len(numbers.latency_ms) == 0
    monitor = drift.Monitor(numbers, window=32)
    for number in range(96):
        monitor.observe(draw(number, 1), latency_ms=4.0 if number < 40 else 9.0)
    alarm = next(a for a in monitor.alarms if a.finding.feature == "latency/median")
    assert alarm.num_examples > 40
    assert (alarm.finding.reference, alarm.finding.now) == (4.0, 9.0)


def test_several_requests_at_once_have_a_latency_each(numbers):
    monitor = drift.Monitor(numbers, window=32)
    monitor.observe(draw(0, 3), latency_ms=np.array([1.0, 9.0]))
    assert monitor.state()["latency_ms/median"] == 5.0


def test_within_the_pause_it_looks_once(numbers):
    monitor = drift.Monitor(numbers, window=32, pause_s=1000.0)
    for number in range(20):
        monitor.observe(draw(number, 16))
    assert monitor.state()["looks"] == 1


def test_scores_alone_are_watched_without_a_model(answering):
    profile, images, _, _ = answering
    monitor = drift.Monitor(profile, window=64)
    unsure = np.full((64, 10), 0.1)
    unsure[:, 3] = 0.101
    monitor.observe(images[:64], unsure)
    assert {"prediction/class", "prediction/confidence"} <= {
        alarm.finding.feature for alarm in monitor.alarms
    }
    assert not any(alarm.finding.feature == "embedding" for alarm in monitor.alarms)


def test_with_a_model_embeddings_are_watched(fresh, profiled, trained, prepare):
    monitor = drift.Monitor(profiled, window=200, model=trained, prepare=prepare)
    monitor.observe(fresh[0][:200, ::-1])  # upside down
    assert {"embedding", "embedding/distance"} <= {a.finding.feature for a in monitor.alarms}


def test_its_state_is_plain_numbers(answering):
    profile, images, _, scores = answering
    monitor = drift.Monitor(profile, window=64)
    assert monitor.state() == {
        **{"examples": 0, "labels": 0, "looks": 0, "alarms": 0, "level": 0.00375, "drifted": 0}
    }
    monitor.observe(images, scores, latency_ms=1.0)
    state = monitor.state()
    assert all(isinstance(value, int | float) for value in state.values())
    assert (state["examples"], state["looks"], state["latency_ms/p95"]) == (100, 1, 1.0)
    assert 0 <= state["stability_index/input/mean"] < 1
    assert state["p_value/input/mean"] <= 1


def test_its_memory_is_bounded(numbers, monkeypatch):
    monkeypatch.setattr("tfpipe.drift.latest.MOST_PENDING", 500)
    monkeypatch.setattr("tfpipe.drift.record.MOST_LOOKS", 20)
    monitor = drift.Monitor(numbers, window=50)
    row = draw(0, 100)

    def stream(first):
        for number in range(first, first + 3_000, 100):
            monitor.observe(row, ids=[f"{n}" for n in range(number, number + 100)])

    stream(0)
    tracemalloc.start()
    stream(3_000)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 100_000
    assert len(monitor.report().seen) == 50


def test_answers_that_wait_for_labels_are_bounded(answering, monkeypatch):
    monkeypatch.setattr("tfpipe.drift.latest.MOST_PENDING", 20)
    profile, images, labels, scores = answering
    monitor = drift.Monitor(profile)
    ids = [f"{n}" for n in range(50)]
    monitor.observe(images[:50], scores[:50], ids=ids)
    assert monitor.label(ids, labels[:50]) == 20


def test_threads_do_not_lose_examples(numbers):
    monitor = drift.Monitor(numbers, window=64)

    def run(seed):
        for number in range(50):
            monitor.observe(draw(100 * seed + number, 2), latency_ms=1.0)
            monitor.state(), monitor.alarms, monitor.report()

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = monitor.state()
    assert state["examples"] == 600
    assert 3 <= state["looks"] <= 37
    assert monitor.alarms == ()


def test_pictures_are_kept_small_or_not_at_all(digits, plain):
    images = np.repeat(digits[0][:32], 4, axis=1).repeat(4, axis=2)
    profile = drift.profile(np.concatenate([images] * 2))
    monitor = drift.Monitor(profile, window=32)
    monitor.observe(images)
    assert {each.shown.shape for each in monitor.report().seen} == {(64, 64, 1)}
    without = drift.Monitor(profile, window=32, picture_px=0)
    without.observe(images)
    assert {each.shown for each in without.report().seen} == {None}


def test_before_the_first_look_nothing_is_said_of_drift(plain, fresh):
    monitor = drift.Monitor(plain)
    monitor.observe(fresh[0][:10])
    assert str(monitor.report()) == "No test was made yet, on 10 examples."


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda m: m.observe(draw(0, 2), ids=["a"]),
            "Expected as many `ids` as examples. Received: ids=1, examples=2",
        ),
        (
            lambda m: m.observe(draw(0, 2), latency_ms=-1),
            "Expected `latency_ms` to be 0 or more. Received: latency_ms=-1.0",
        ),
        (
            lambda m: m.observe(draw(0, 2) * np.nan),
            "Expected finite numbers. Received: 6 of 6 that are infinite or no number, the first "
            "in example 0.",
        ),
        (
            lambda m: m.observe(np.zeros((2, 4))),
            "Expected examples of kind 'sequence' and shape (3,), as in the profile. "
            "Received: 'sequence' of shape (4,).",
        ),
        (
            lambda m: m.label(["a"], [1]),
            "Expected a profile of a model that tells labels or targets. Received: task=''",
        ),
    ],
)
def test_what_is_refused_changes_nothing(call, sentence, numbers, refused):
    monitor = drift.Monitor(numbers)
    assert refused(call, monitor) == sentence
    assert monitor.state()["examples"] == 0


def test_as_many_labels_as_ids(answering, refused):
    monitor = drift.Monitor(answering[0])
    assert refused(monitor.label, ["a", "b"], [1]) == (
        "Expected as many `labels` as `ids`. Received: ids=2, labels=1"
    )


def test_it_needs_no_tensorflow(python, numbers, tmp_path):
    numbers.to_file(tmp_path / "profile.json")
    done = python(
        "import sys; from tfpipe import drift; import numpy as np;"
        f"m = drift.Monitor(drift.load_profile({str(tmp_path / 'profile.json')!r}));"
        "m.observe(np.zeros((20, 3))); print(len(m.alarms), 'tensorflow' in sys.modules)"
    )
    assert done.stdout == "3 False\n", done.stderr
