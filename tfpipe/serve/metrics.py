"""What the server counts, in Prometheus' text format.

Example:

    metrics = Metrics()
    metrics.examples.inc(3)
    text = metrics.text()

Format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily

TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_EXAMPLES = (1, 2, 4, 8, 16, 32, 64, 128)

Numbers = Callable[[], Mapping[str, float]]


class Metrics:
    """The server's counters, in a registry of their own.

    Attributes:
        requests: answers by route and status code.
        latency: seconds from a request's first byte to its answer, by route.
        examples: examples that were scored.
        batch: examples that were computed together.
        computing: seconds that a batch took: decoding, preprocessing, the model.
        waiting: examples in flight: being read, waiting, being computed.
        version: the version that answers.
        switched: versions that were switched to.
        refused: how many versions cannot be loaded.

    Example:

    >>> metrics = Metrics()
    >>> metrics.computed(3, seconds=0.01)
    >>> b"tfpipe_examples_total 3.0" in metrics.text()
    True
    """

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        ProcessCollector(registry=own)  # memory, CPU seconds, open files
        self.requests = Counter("tfpipe_requests", "Answers.", ["route", "code"], registry=own)
        self.latency = _seconds("tfpipe_request_seconds", "Until the answer.", ["route"], own)
        self.examples = Counter("tfpipe_examples", "Examples that were scored.", registry=own)
        self.batch = Histogram(
            "tfpipe_batch_examples", "Computed together.", buckets=_EXAMPLES, registry=own
        )
        self.computing = _seconds("tfpipe_batch_seconds", "That a batch took.", [], own)
        self.waiting = Gauge("tfpipe_queue_examples", "Examples in flight.", registry=own)
        self.version = Gauge("tfpipe_version", "That answers.", ["model"], registry=own)
        self.switched = Counter("tfpipe_versions_switched", "Switched to.", registry=own)
        self.refused = Gauge("tfpipe_versions_refused", "That cannot be loaded.", registry=own)

    def computed(self, count: int, seconds: float) -> None:
        """A batch of so many examples took so long."""
        self.examples.inc(count)
        self.batch.observe(count)
        self.computing.observe(seconds)

    def answered(self, route: str, code: int, seconds: float) -> None:
        """A request was answered."""
        self.requests.labels(route, str(code)).inc()
        self.latency.labels(route).observe(seconds)

    def watch(self, numbers: Numbers) -> None:
        """Adds `tfpipe_drift{name="..."}`: what a function says when the metrics are asked for."""
        self.registry.register(_Drift(numbers))

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)


def _seconds(name: str, help: str, labels: Sequence[str], registry: CollectorRegistry) -> Histogram:
    return Histogram(name, help, labels, buckets=_SECONDS, registry=registry)


class _Drift:
    """A collector, as prometheus_client calls it."""

    def __init__(self, numbers: Numbers):
        self.numbers = numbers

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily("tfpipe_drift", "What the drift monitor says.", labels=["name"])
        for name, number in self.numbers().items():
            family.add_metric([name], number)
        yield family
