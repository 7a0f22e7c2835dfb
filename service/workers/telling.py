"""Backlogs, told to the operator: what waits for a provider or for a worker, and since when the oldest does."""

from service.core.timestamp import parse_timestamp
from service.metrics import Metrics
from service.ports import Clock, JobStore, OutboxStore
from service.workers.background import forever

_EVERY_S = 5.0


class Backlogs:
    """Looks every few seconds, whatever those who work on the backlogs are at. Every instance tells the same."""

    def __init__(self, outbox: OutboxStore, jobs: JobStore, clock: Clock, metrics: Metrics) -> None:
        self._outbox = outbox
        self._jobs = jobs
        self._clock = clock
        self._metrics = metrics

    async def run(self) -> None:
        """Tell until cancelled."""
        await forever("backlogs", self.tell)

    async def tell(self) -> float:
        """Look once; return when to look again."""
        depth, since = await self._outbox.backlog()
        self._metrics.outbox_depth.set(depth)
        self._metrics.outbox_age_seconds.set(self._age(since))
        depth, since = await self._jobs.backlog()
        self._metrics.jobs_depth.set(depth)
        self._metrics.jobs_age_seconds.set(self._age(since))
        return _EVERY_S

    def _age(self, since: str | None) -> float:
        return (self._clock.now() - parse_timestamp(since)).total_seconds() if since else 0.0
