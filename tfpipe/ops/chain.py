"""A chain of ops: what happens to one example, the same in training, calibration and files.

Example:

    prepare = Chain([Decode(channels=1), Resize((32, 32)), ToFloat()])
"""

import dataclasses
import itertools
from collections.abc import Iterable

from tfpipe.errors import RequestError
from tfpipe.ops.base import KINDS, Example, Op


@dataclasses.dataclass(frozen=True, init=False, repr=False)
class Chain:
    """Ops in a row; called with an example dict, it returns one.

    Chains compare by their ops and print as code.

    Args:
        ops: each must take what the one before gives.

    Raises:
        RequestError: an op would get an image of a kind that it does not take.

    Example:

    >>> from tfpipe.ops import Decode, Resize, ToFloat
    >>> Chain([Decode(channels=1), Resize((32, 32)), ToFloat()])
    Chain([Decode(channels=1), Resize(size=(32, 32)), ToFloat()])
    """

    ops: tuple[Op, ...]

    def __init__(self, ops: Iterable[Op]):
        object.__setattr__(self, "ops", tuple(ops))
        for before, after in itertools.pairwise(self.ops):
            if after.takes != before.gives:
                raise RequestError(
                    f"Expected {KINDS[after.takes]} before {after!r}. "
                    f"Received: {KINDS[before.gives]} from {before!r}; change the order."
                )

    def __call__(self, example: Example) -> Example:
        """Applies every op to one example, or to a batch where no op needs single images."""
        for op in self.ops:
            example = op(example)
        return example

    def __repr__(self) -> str:
        return f"Chain([{', '.join(map(repr, self.ops))}])"

    def inference(self) -> "Chain":
        """The chain without its random ops: what exported files do."""
        return Chain(op for op in self.ops if not op.random)

    def stages(self) -> tuple["Chain", "Chain"]:
        """The ops that need single images, and those that run on whole batches.

        >>> from tfpipe.ops import Decode, Resize, ToFloat
        >>> Chain([Decode(channels=1), Resize((32, 32)), ToFloat()]).stages()[1]
        Chain([ToFloat()])
        """
        last = max((place + 1 for place, op in enumerate(self.ops) if op.per_image), default=0)
        return Chain(self.ops[:last]), Chain(self.ops[last:])

    def pixels(self) -> "Chain":
        """From an encoded image to the uint8 pixels that an exported file takes."""
        return self.inference().stages()[0]

    def in_graph(self) -> "Chain":
        """From those pixels to what the model takes: this part is inside an exported file."""
        return self.inference().stages()[1]
