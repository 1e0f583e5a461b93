"""What is wrong outweighs a note, and a note what was not tried."""

import itertools

from tfpipe.doctor.finding import GOOD, NOTE, SKIPPED, WRONG, worst


def test_the_worst_whatever_the_order():
    for states in itertools.permutations([GOOD, SKIPPED, NOTE, WRONG]):
        assert worst(list(states)) == WRONG
    assert worst([NOTE, SKIPPED, GOOD]) == NOTE
    assert worst([GOOD]) == worst([]) == GOOD
