"""TensorFlow's chatter, kept out of `python -m tfpipe.export`; imported first by this room.

Python imports the room, and with it TensorFlow, before the room's command line runs and can
silence anything. While it does so `sys.argv[0]` is "-m" (Python's documentation of `sys.argv`).
"""

import sys

from tfpipe.noise import filtered

if sys.argv[:1] == ["-m"]:
    with filtered():
        import tensorflow  # noqa: F401
