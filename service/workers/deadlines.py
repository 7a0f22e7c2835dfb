"""Deadlines: applications whose provider did not confirm in time come to their end."""

import contextlib
import logging

from service.core.timestamp import format_timestamp
from service.errors import InvalidTransitionError, StoreError
from service.ports import Lease
from service.usecases import confirming
from service.usecases.patching import Desk
from service.workers.background import forever
from service.workers.hold import Hold

_LOG = logging.getLogger(__name__)
_LEASE = "deadlines"
_PAUSE_S = 2.0
_LEASE_S = 20.0
_AT_ONCE = 100


class Deadlines:
    """Keeps deadlines; one instance at a time, by lease, and a second one would do no harm."""

    def __init__(self, desk: Desk, lease: Lease) -> None:
        self._desk = desk
        self._hold = Hold(lease, _LEASE, _LEASE_S)

    async def run(self) -> None:
        """Keep deadlines until cancelled; another instance may then at once."""
        try:
            await forever("deadlines", self._round)
        finally:
            with contextlib.suppress(StoreError):
                await self._hold.release()

    async def _round(self) -> float:
        if await self._hold.keep():
            await self.expire_overdue()
        return _PAUSE_S

    async def expire_overdue(self) -> int:
        """End what is overdue now; return how many were ended."""
        overdue = await self._desk.applications.list_overdue(format_timestamp(self._desk.clock.now()), _AT_ONCE)
        count = 0
        for application in overdue:
            try:
                await confirming.expire(application, self._desk)
                count += 1
            except InvalidTransitionError:
                _LOG.debug("an application was confirmed in the last moment")
        return count
