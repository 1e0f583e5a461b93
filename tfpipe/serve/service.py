"""What serves: the engine of now, the requests that are in flight, and how many there may be.

Example:

    service = Service(versions, Metrics(), bound=128, most=32)
    with service.places(1):
        scored = await service.scores(service.servable.engine.parse(instances), seconds=30)
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from starlette.exceptions import HTTPException

from tfpipe.errors import RequestError
from tfpipe.export.bundling.bundled import is_bundle
from tfpipe.serve.batching import Batcher
from tfpipe.serve.engine import Engine, Scored
from tfpipe.serve.log import say
from tfpipe.serve.metrics import Metrics
from tfpipe.serve.versions import Versions
from tfpipe.serve.watching import Watch


@dataclasses.dataclass(frozen=True)
class Servable:
    """An engine, the requests that wait for it, and what watches for drift, if the bundle can."""

    engine: Engine
    batcher: Batcher
    watch: Watch | None


class Service:
    """The engine that answers now, and how much is let in.

    Attributes:
        name: the first engine's, which is in the paths.
        servable: what answers now.

    Args:
        versions: where engines come from.
        metrics: what is counted.
        bound: examples that may be in flight; a request counts as one before it is read.
        most: examples that are computed together.
        settle: called when a version has been loaded, and when the one before has ended.

    Raises:
        RequestError: there is no version that can be loaded.

    Example:

    >>> from tfpipe.serve import load_engine
    >>> versions = Versions(made.path, lambda path, version: load_engine(path, "keras"))
    >>> service = Service(versions, Metrics(), bound=8, most=4)
    >>> service.name, service.inside
    ('arrays', 0)
    >>> with service.places(8):
    ...     service.inside
    8
    """

    def __init__(
        self,
        versions: Versions,
        metrics: Metrics,
        *,
        bound: int,
        most: int,
        settle: Callable[[], None] = lambda: None,
    ):
        self.versions, self.metrics, self.bound, self.most = versions, metrics, bound, most
        self.inside, self.settle = 0, settle
        self.leaving: set[asyncio.Task[None]] = set()
        metrics.waiting.set_function(lambda: self.inside)
        metrics.watch(lambda: self.servable.watch.state() if self.servable.watch else {})
        metrics.refused.set_function(lambda: len(versions.refused))
        engine = versions.newest()
        if engine is None:
            raise RequestError(_nothing(versions))
        self.name = engine.name
        self.servable = self._servable(engine)
        settle()

    @contextlib.contextmanager
    def places(self, count: int) -> Iterator[None]:
        """Lets so many examples in.

        Raises:
            HTTPException: 503 where there is no room for them now.
        """
        if self.inside + count > self.bound:
            raise busy(f"The server is busy: {self.inside:,} examples are waiting.")
        self.inside += count
        try:
            yield
        finally:
            self.inside -= count

    async def scores(
        self, servable: Servable, examples: Sequence[Any], *, seconds: float
    ) -> Scored:
        """The inputs and scores of examples that `servable.engine.parse` gave.

        Raises:
            RequestError: one of them cannot be used.
            HTTPException: 503 where it takes too long.
        """
        try:
            async with asyncio.timeout(seconds):
                return await servable.batcher.scores(examples)
        except TimeoutError:
            raise busy(f"The server is busy: there was no answer within {seconds:g} s.") from None

    async def watch(self, every_s: float) -> None:
        """Looks for a newer version, for ever; requests go on while one is loaded."""
        while True:
            await asyncio.sleep(every_s)
            engine = await asyncio.to_thread(self.versions.newest)
            if engine is not None:
                self._switch(engine)

    async def close(self) -> None:
        """Waits until all that wait have their answers."""
        await asyncio.gather(_close(self.servable), *self.leaving)

    def _switch(self, engine: Engine) -> None:
        old, self.servable = self.servable, self._servable(engine)
        task = asyncio.create_task(_close(old))
        self.leaving.add(task)
        task.add_done_callback(self._ended)
        self.metrics.switched.inc()
        say(f"{described(engine)} answers now; version {old.engine.version} has ended")

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.leaving.discard(task)
        self.settle()

    def _servable(self, engine: Engine) -> Servable:
        self.metrics.version.clear()
        self.metrics.version.labels(engine.name).set(engine.version)
        batcher = Batcher(engine.score, most=self.most, told=self.metrics.computed)
        return Servable(engine, batcher, Watch(engine.monitor) if engine.monitor else None)


async def _close(servable: Servable) -> None:
    await servable.batcher.close()
    if servable.watch:
        servable.watch.close()


def described(engine: Engine) -> str:
    """For instance "digits version 2 (int8.tflite)"."""
    return f"{engine.name} version {engine.version} ({engine.predictor.name})"


def busy(sentence: str) -> HTTPException:
    """The answer where there is no room or no time: try again."""
    return HTTPException(503, f"{sentence} Try again.", {"Retry-After": "1"})


def _nothing(versions: Versions) -> str:
    if is_bundle(versions.folder):
        return versions.refused[1]
    why = "; ".join(f"{number}: {reason}" for number, reason in sorted(versions.refused.items()))
    return (
        "Expected a bundle, or a folder of bundles whose names are numbers. "
        f"Received: {str(versions.folder)!r}" + (f". Of its versions, {why}" if why else "")
    )
