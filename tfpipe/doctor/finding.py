"""What one look at the machine or the installation found.

Example:

    Finding("disk", WRONG, "'data' cannot be written to.", todo="Choose another: --folder DIR.")
"""

import dataclasses

GOOD = "good"
NOTE = "note"  # it works, and could be better
WRONG = "wrong"
SKIPPED = "skipped"  # something else that is wrong stands in its way


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line of the doctor's.

    Args:
        name: what was looked at.
        state: GOOD, NOTE, WRONG or SKIPPED.
        found: what was found, in a sentence.
        todo: what to do about it; empty where there is nothing to do.
        rows: a table that goes with it, its headings first.
        seconds: how long the look took.

    Example:

    >>> Finding("disk", WRONG, "'data' cannot be written to.", todo="Choose another folder.").state
    'wrong'
    """

    name: str
    state: str
    found: str
    todo: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    seconds: float = 0.0


def worst(states: list[str]) -> str:
    """The state of a whole.

    >>> worst([GOOD, NOTE, GOOD]), worst([])
    ('note', 'good')
    """
    return max(states, key=(GOOD, SKIPPED, NOTE, WRONG).index, default=GOOD)
