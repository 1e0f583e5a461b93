"""An alarm is a sentence: what was found, when, at which level, and in which examples."""

import numpy as np

from tfpipe.drift import Alarm, Finding, Seen

FINDING = Finding("input/mean", 100.0, 80.0, "Kolmogorov-Smirnov", 1e-7)
TOLD = "input/mean is 80, in the profile 100: Kolmogorov-Smirnov, p 1.0e-07"


def test_it_names_the_examples_that_moved_most():
    picture = np.zeros((2, 2, 1), np.uint8)
    alarm = Alarm(FINDING, 1234, 0.005, (Seen("a17", picture), Seen("b3", None)))
    ending = "(alarm at 5.0e-03); moved most: a17, b3"
    assert str(alarm) == f"After 1,234 examples: {TOLD} {ending}"
    assert "Seen" not in repr(alarm)  # which would print the pictures


def test_of_accuracy_and_latency_no_example_moved():
    assert str(Alarm(FINDING, 16, 0.005)) == f"After 16 examples: {TOLD} (alarm at 5.0e-03)"
