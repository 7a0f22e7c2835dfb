"""Comparisons, counted and timed for the operator."""

import time

from service.core.options import DiffOptions
from service.metrics import Metrics
from service.ports import Comparer, Outcome


class MeasuredComparer:
    """A comparer whose work shows in the metrics."""

    def __init__(self, comparer: Comparer, metrics: Metrics) -> None:
        self._comparer = comparer
        self._metrics = metrics

    async def compare(self, before: bytes, after: bytes, options: DiffOptions) -> Outcome:
        """Compare; count it while it runs, and note its time and the size of its inputs."""
        self._metrics.diff_input_bytes.observe(len(before) + len(after))
        start = time.perf_counter()
        with self._metrics.comparisons_running.track_inprogress():
            try:
                return await self._comparer.compare(before, after, options)
            finally:
                self._metrics.diff_seconds.observe(time.perf_counter() - start)
