"""What the service tells its operator in numbers, by prometheus-client. One instance per application, no globals.

With several worker processes (`PATCHBAY_WORKERS`), prometheus-client keeps the numbers in files below
`PROMETHEUS_MULTIPROC_DIR`, and every worker answers for all.
"""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_BYTES = tuple(float(4**power) for power in range(4, 14))
_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """Every metric of the service; docs/operations.md says what each is good for."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.requests = Counter(
            "patchbay_requests", "Requests answered", ["method", "route", "status"], registry=registry
        )
        self.request_seconds = Histogram(
            "patchbay_request_seconds", "Time to answer", ["route"], buckets=_SECONDS, registry=registry
        )
        self.diff_seconds = Histogram(
            "patchbay_diff_seconds", "Time of a comparison, waiting included", buckets=_SECONDS, registry=registry
        )
        self.diff_input_bytes = Histogram(
            "patchbay_diff_input_bytes", "Size of both inputs of a comparison", buckets=_BYTES, registry=registry
        )
        self.engine_fallbacks = Counter(
            "patchbay_engine_fallbacks", "Comparisons that the native core left to the reference", registry=registry
        )
        self.batch_size = Histogram(
            "patchbay_batch_size", "Calls that shared a round trip", ["kind"], buckets=_COUNTS, registry=registry
        )
        self.comparisons_running = Gauge(
            "patchbay_comparisons_running",
            "Comparisons off the event loop",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.outbox_depth = Gauge(
            "patchbay_outbox_depth", "Events not yet delivered", registry=registry, multiprocess_mode="livemax"
        )
        self.outbox_age_seconds = Gauge(
            "patchbay_outbox_age_seconds", "Age of the oldest of them", registry=registry, multiprocess_mode="livemax"
        )
        self.job_seconds = Histogram(
            "patchbay_job_seconds",
            "Time that an asynchronous call took once it was begun",
            ["route", "outcome"],
            buckets=(*_SECONDS, 100, 300),
            registry=registry,
        )
        self.jobs_depth = Gauge(
            "patchbay_jobs_depth", "Jobs that wait to be begun", registry=registry, multiprocess_mode="livemax"
        )
        self.jobs_age_seconds = Gauge(
            "patchbay_jobs_age_seconds", "Age of the oldest of them", registry=registry, multiprocess_mode="livemax"
        )
        self.database_up = Gauge(
            "patchbay_database_up", "Whether a primary answered last", registry=registry, multiprocess_mode="livemin"
        )
        self.database_restarts = Counter(
            "patchbay_database_restarts", "Restarts of the embedded MongoDB", registry=registry
        )
        self._answered: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def note_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note that a request was answered."""
        key = (method, route, status)
        found = self._answered.get(key)
        if found is None:
            found = self.requests.labels(method, route, status), self.request_seconds.labels(route)
            self._answered[key] = found
        count, times = found
        count.inc()
        times.observe(seconds)

    def note_job(self, route: str, outcome: str, seconds: float) -> None:
        """Note what became of a job that was begun."""
        self.job_seconds.labels(route, outcome).observe(seconds)

    def note_batch(self, kind: str, size: int) -> None:
        """Note how many calls shared a round trip."""
        self.batch_size.labels(kind).observe(size)

    def render(self) -> bytes:
        """Write all numbers in Prometheus' text format, version 0.0.4; those of all workers where there are several."""
        if MULTIPROCESS_DIR not in os.environ:
            return generate_latest(self._registry)
        merged = CollectorRegistry()
        MultiProcessCollector(merged)  # type: ignore[no-untyped-call]
        return generate_latest(merged)


def forget_process(pid: int, folder: str) -> None:
    """Leave the live numbers of a worker that ended out of the merged ones, which lie in `folder`."""
    mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]
