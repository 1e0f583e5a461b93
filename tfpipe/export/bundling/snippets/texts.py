"""The program that runs a file on a text, which `tfpipe.tokens` reads.

Example:

    text_programs(file, ends(file), prepare, "label")["use.py"]
"""

import pathlib

from tfpipe.export.bundling.snippets.ends import Ends, filled, how_shown, words
from tfpipe.ops import Chain

NO_PHONES = (
    "There is no program for Android and iOS: the words of a text must be found as "
    "`tfpipe.tokens` finds them, by rules for all of Unicode."
)


def text_programs(file: pathlib.Path, both: Ends, prepare: Chain, task: str) -> dict[str, str]:
    """`use.py`, with which a text's windows are averaged; none where the chain reads no texts."""
    if not prepare.ops or prepare.ops[0].on != "text":
        return {}
    return {"use.py": filled("text/use.py", {**words(file, both), **how_shown(task, both.gives)})}
