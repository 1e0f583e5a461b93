"""The server's log: lines on standard error.

Example:

    say("version 3 is refused: it is damaged")
"""

import sys


def say(sentence: str) -> None:
    """Writes one line at once."""
    print(sentence, file=sys.stderr, flush=True)
