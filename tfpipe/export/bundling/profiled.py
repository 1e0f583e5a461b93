"""What the split looked like when the files were verified: a bundle's profile, for `tfpipe.drift`.

Example:

    to_profile(folder, model, manifest, prepare, split="test")      # profile.json, profile.npz
"""

import pathlib
import sys

from tfpipe import drift
from tfpipe.backend import keras
from tfpipe.drift.profiles import FILE
from tfpipe.ops import Chain
from tfpipe.records import Manifest

BATCH_SIZE = 64


def to_profile(
    folder: pathlib.Path, model: keras.Model, manifest: Manifest, prepare: Chain, *, split: str
) -> None:
    """Writes the profile of the split, or says that there are too few examples for one."""
    number = manifest.split(split).num_examples
    if number < drift.LEAST_EXAMPLES:
        print(
            f"No profile for drift: it takes {drift.LEAST_EXAMPLES} examples, and {split!r} has "
            f"{number}.",
            file=sys.stderr,
            flush=True,
        )
        return
    # The order on disk is a random one, so the first are a fair sample.
    examples = drift.stored(manifest, split, prepare).unbatch().take(drift.MOST_EXAMPLES)
    found = drift.profile(
        examples.batch(BATCH_SIZE), model, prepare, class_names=manifest.class_names
    )
    found.to_file(folder / FILE)
