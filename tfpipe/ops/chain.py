"""A chain of ops: what happens to one example, the same in training, calibration and files.

Example:

    prepare = Chain([Decode(channels=1), Resize((32, 32)), ToFloat()])
"""

import dataclasses
import itertools
from collections.abc import Iterable

from tfpipe.errors import RequestError
from tfpipe.ops.base import KINDS, Example, Op
from tfpipe.ops.resize import Resize


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
            if before.per_batch and after.per_image:
                raise RequestError(
                    f"Expected {before!r} after {after!r}: it mixes the images of a batch, and "
                    "before there are only single images; change the order."
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

    def pixels(self, input_size: tuple[int, int] | None = None) -> "Chain":
        """From an encoded image to the uint8 pixels that an exported file takes.

        Args:
            input_size: (height, width) in pixels of what the file takes; then the chain's own
                resizing and cropping are inside the file. None: they are not, and the file
                takes what the last op for single images gives.

        >>> from tfpipe.ops import Decode, Resize, ToFloat
        >>> chain = Chain([Decode(channels=1), Resize((32, 32)), ToFloat()])
        >>> chain.pixels((480, 640)).ops[1].size
        (480, 640)
        """
        return self._divide(input_size)[0]

    def in_graph(self, input_size: tuple[int, int] | None = None) -> "Chain":
        """From those pixels to what the model takes: this part is inside an exported file.

        >>> from tfpipe.ops import Decode, Resize, ToFloat
        >>> chain = Chain([Decode(channels=1), Resize((32, 32)), ToFloat()])
        >>> chain.in_graph()
        Chain([ToFloat()])
        >>> chain.in_graph((480, 640)).ops[0].size
        (32, 32)
        """
        return self._divide(input_size)[1]

    def _divide(self, input_size: tuple[int, int] | None) -> tuple["Chain", "Chain"]:
        chain = self.inference()
        if input_size is None:
            return chain.stages()
        first = sum(op.takes == "encoded" for op in chain.ops)
        ops = Chain([*chain.ops[:first], Resize(input_size), *chain.ops[first:]]).ops
        return Chain(ops[: first + 1]), Chain(ops[first + 1 :])
