"""A chain of ops: what happens to one example, the same in training, calibration and files.

Example:

    prepare = Chain([Decode(channels=1), Resize((32, 32)), ToFloat()])
"""

import dataclasses
import itertools
import json
import pathlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tfpipe.errors import DataError, RequestError
from tfpipe.files import Path, write_text
from tfpipe.ops.base import Example, Op
from tfpipe.ops.checks import KINDS
from tfpipe.ops.config import from_config, to_config
from tfpipe.ops.resize import Resize

if TYPE_CHECKING:
    from tfpipe.ops.layer import ChainLayer

FORMAT = "tfpipe chain 1"


@dataclasses.dataclass(frozen=True, init=False, repr=False)
class Chain:
    """Ops in a row; called with an example dict, it returns one.

    Chains compare by their ops and print as code.

    Args:
        ops: each must take what the one before gives.

    Raises:
        RequestError: an op would get an image (or a text) of a kind that it does not take, or
            the ops are on different parts of an example.

    Example:

    >>> from tfpipe.ops import Decode, Resize, ToFloat
    >>> Chain([Decode(channels=1), Resize((32, 32)), ToFloat()])
    Chain([Decode(channels=1), Resize(size=(32, 32)), ToFloat()])
    """

    ops: tuple[Op, ...]

    def __init__(self, ops: Iterable[Op]):
        object.__setattr__(self, "ops", tuple(ops))
        for before, after in itertools.pairwise(self.ops):
            if after.on != before.on:
                raise RequestError(
                    f"Expected ops on one part of an example. Received: {before!r}, on "
                    f"`{before.on}`, and {after!r}, on `{after.on}`"
                )
            if after.takes != before.gives:
                raise RequestError(
                    f"Expected {KINDS[after.takes]} before {after!r}. "
                    f"Received: {KINDS[before.gives]} from {before!r}; change the order."
                )
        for before, after in itertools.combinations(self.ops, 2):
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
        """The chain without its random ops: what exported files do.

        >>> from tfpipe.ops import RandomFlip, ToFloat
        >>> Chain([RandomFlip(), ToFloat()]).inference()
        Chain([ToFloat()])
        """
        return Chain(op for op in self.ops if not op.random)

    def stages(self) -> tuple["Chain", "Chain"]:
        """The ops that need single images, and those that run on whole batches.

        >>> from tfpipe.ops import Decode, Resize, ToFloat
        >>> Chain([Decode(channels=1), Resize((32, 32)), ToFloat()]).stages()[1]
        Chain([ToFloat()])
        """
        last = max((place + 1 for place, op in enumerate(self.ops) if op.per_image), default=0)
        return Chain(self.ops[:last]), Chain(self.ops[last:])

    def outside(self, input_size: tuple[int, int] | None = None) -> "Chain":
        """What happens before an exported file: from an encoded image to the uint8 pixels it takes,
        from a text to its int32 tokens; of texts and sequences, everything.

        Args:
            input_size: (height, width) in pixels of what the file takes; then the chain's own
                resizing and cropping are inside the file. None: they are not, and the file
                takes what the last op for single images gives.

        Raises:
            RequestError: an `input_size`, and the chain is not on images.

        >>> from tfpipe.ops import Decode, Resize, ToFloat
        >>> chain = Chain([Decode(channels=1), Resize((32, 32)), ToFloat()])
        >>> chain.outside((480, 640)).ops[1].size
        (480, 640)
        """
        return self._divide(input_size)[0]

    def inside(self, input_size: tuple[int, int] | None = None) -> "Chain":
        """What happens in an exported file: from those pixels to what the model takes; nothing
        to texts and sequences.

        Raises:
            RequestError: an `input_size`, and the chain is not on images.

        >>> from tfpipe.ops import Decode, Resize, ToFloat
        >>> chain = Chain([Decode(channels=1), Resize((32, 32)), ToFloat()])
        >>> chain.inside()
        Chain([ToFloat()])
        >>> chain.inside((480, 640)).ops[0].size
        (32, 32)
        """
        return self._divide(input_size)[1]

    def as_layer(self, **kwargs: Any) -> "ChainLayer":
        """A Keras layer of everything deterministic after decoding.

        It takes uint8 pixels (B, H, W, C) as they come from a camera or a decoder, of any size if
        the chain resizes, and gives what the model takes. It is saved with the model.

        Args:
            **kwargs: Keras': `name`, ...

        Raises:
            RequestError: the chain is not on images.

        >>> from tfpipe.ops import Decode, ToFloat
        >>> Chain([Decode(channels=1), ToFloat()]).as_layer().chain
        Chain([ToFloat()])
        """
        from tfpipe.ops.layer import ChainLayer  # it needs this class

        if any(op.on != "image" for op in self.ops):
            raise RequestError(
                f"Expected a chain on `image`: a layer takes pixels. Received: {self!r}"
            )

        return ChainLayer(
            Chain(op for op in self.inference().ops if op.takes != "encoded"), **kwargs
        )

    def to_json(self, path: Path) -> pathlib.Path:
        """Writes the ops and all their arguments to a file for people, too; returns its path.

        Raises:
            RequestError: an op of one's own that is not registered (`tfpipe.ops.register`).
        """
        lines = ",\n".join(f"    {json.dumps(entry)}" for entry in to_config(self.ops))
        return write_text(path, f'{{\n  "format": "{FORMAT}",\n  "ops": [\n{lines}\n  ]\n}}\n')

    @staticmethod
    def from_json(path: Path) -> "Chain":
        """Reads what `to_json` wrote.

        Raises:
            FileNotFoundError: there is no such file.
            DataError: the file holds no chain, or an op or an argument that is not known.

        >>> import tempfile
        >>> from tfpipe.ops import Decode, ToFloat
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "chain.json"
        >>> Chain.from_json(Chain([Decode(channels=1), ToFloat()]).to_json(file))
        Chain([Decode(channels=1), ToFloat()])
        """
        file = pathlib.Path(path)
        try:
            value = json.loads(file.read_bytes())
        except ValueError as error:
            raise DataError(file, f"not JSON ({error})") from None
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise DataError(file, f'not a chain: expected {{"format": "{FORMAT}", "ops": [...]}}')
        try:
            return Chain(from_config(value.get("ops")))
        except RequestError as error:
            raise DataError(file, str(error)) from None

    def _divide(self, input_size: tuple[int, int] | None) -> tuple["Chain", "Chain"]:
        chain = self.inference()
        part = chain.ops[0].on if chain.ops else "image"
        if part != "image" and input_size is not None:
            raise RequestError(
                f"`input_size` is for images. Received: input_size={input_size} with a chain on "
                f"`{part}`"
            )
        if part != "image":
            return chain, Chain([])
        if input_size is None:
            return chain.stages()
        first = sum(op.takes == "encoded" for op in chain.ops)
        ops = Chain([*chain.ops[:first], Resize(input_size), *chain.ops[first:]]).ops
        return Chain(ops[: first + 1]), Chain(ops[first + 1 :])
