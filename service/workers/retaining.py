"""Old versions forgotten in the background, by one instance at a time, as the settings of history say."""

import logging
from datetime import timedelta

from service.core.timestamp import format_timestamp
from service.ports import Clock, Lease, RetentionStore
from service.workers.background import forever

_LOG = logging.getLogger(__name__)
_LEASE = "retention"
_EVERY_S = 3600.0
_LEAST = timedelta(minutes=10)
"""What stood so lately always stays: a writer that lost its connection may be asking whether its version is there."""


class Retainer:
    """Trims once an hour; `run` is a task of the application's life. With nothing to forget it ends at once."""

    def __init__(
        self,
        store: RetentionStore,
        lease: Lease,
        clock: Clock,
        *,
        versions: int,
        days: float,
    ) -> None:
        self._store = store
        self._lease = lease
        self._clock = clock
        self._versions = versions
        self._days = days

    async def run(self) -> None:
        """Trim until cancelled."""
        if self._versions or self._days:
            await forever("retention", self._trim)

    async def _trim(self) -> float:
        """Trim, unless another instance did within the hour: the lease is kept until it runs out."""
        if await self._lease.acquire(_LEASE, _EVERY_S * 0.9):
            since = self._clock.now() - max(timedelta(days=self._days), _LEAST)
            trimmed = await self._store.trim(self._versions, format_timestamp(since))
            if trimmed:
                _LOG.info("old versions of %d resources were forgotten", trimmed)
        return _EVERY_S
