"""The relay: drains logs in the background, soon after the writes of this process, and what other processes left."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self

from service.core.timestamp import format_timestamp
from service.errors import StoreUnavailableError
from service.ports import Clock
from service.store.draining import Copied, Drain
from service.store.leases import Leases
from service.store.mongo import Collection, Database, translated
from service.store.revisions import Revisions
from service.tasks import end

_LOG = logging.getLogger(__name__)
_LINGER_S = 0.25
_LONGEST_PAUSE_S = 5.0
_SHARE = 24
"""The relay rests so many times as long as it works: under load logs gather, and many entries cost what one does."""
_URGENT_BYTES = 32 * 1024
_MOST_AT_ONCE = 100
_SWEEP_EVERY_S = 5.0
_LEFT_BEHIND = timedelta(seconds=15)
_LEASE = "relay"
_PARTING_S = 5.0
"""How long the end of the service waits for a tidy one of the relay; what is left over, the next sweep finds."""


class Relay:
    """Runs while it is entered (`async with`). Nothing is lost where it does not run: logs wait, and are read too.

    `on_moved` is told when entries have come to `revisions`.
    """

    def __init__(
        self, database: Database, revisions: Revisions, clock: Clock, on_moved: Callable[[], object] = lambda: None
    ) -> None:
        self._resources: Collection = database["resources"]
        self._leases = Leases(database)
        self._drain = Drain(database, revisions)
        self._clock = clock
        self._on_moved = on_moved
        self._noted: dict[str, int] = {}
        self._copied: dict[str, Copied] = {}
        self._urgent: set[str] = set()
        self._is_urgent = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(each()) for each in (self._follow, self._hurry, self._sweep)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await end(*self._tasks)
        copied, self._copied = list(self._copied.values()), {}
        with contextlib.suppress(StoreUnavailableError, TimeoutError):
            async with asyncio.timeout(_PARTING_S):
                await self._drain.cut(copied)
                await self._leases.release(_LEASE)

    def has_all(self, resource_id: str, version: int) -> bool:
        """Tell whether `revisions` has the whole log of the resource at the version: the next write may begin it anew.

        This spares the log a cut of its own; what is not written soon is cut with the next round.
        """
        copied = self._copied.get(resource_id)
        return copied is not None and copied.last == version

    def note(self, resource_id: str, added_bytes: int, *, begins_log: bool) -> None:
        """Take notice that the resource's log has grown, or was begun anew."""
        if begins_log:
            self._copied.pop(resource_id, None)
        size = self._noted[resource_id] = self._noted.get(resource_id, 0) + added_bytes
        if size > _URGENT_BYTES:
            del self._noted[resource_id]
            self._urgent.add(resource_id)
            self._is_urgent.set()

    async def drain(self, resource_ids: Sequence[str]) -> None:
        """Bring to `revisions` what the resources' logs hold now."""
        await self._drain.drain(resource_ids)

    async def _follow(self) -> None:
        """Drain what this process writes."""
        pause = _LINGER_S
        while True:
            await asyncio.sleep(pause)
            started = time.monotonic()
            await self.advance()
            pause = min(max(_LINGER_S, _SHARE * (time.monotonic() - started)), _LONGEST_PAUSE_S)

    async def advance(self) -> None:
        """Do one round: cut what the last one copied and nobody has written since, then copy what was noted."""
        noted, self._noted = list(self._noted), {}
        copied, self._copied = list(self._copied.values()), {}
        for at in range(0, len(copied), _MOST_AT_ONCE):
            await self._tried(self._drain.cut(copied[at : at + _MOST_AT_ONCE]))
        for at in range(0, len(noted), _MOST_AT_ONCE):
            await self._tried(self._copy(noted[at : at + _MOST_AT_ONCE]))
        if noted:
            self._on_moved()

    async def _copy(self, resource_ids: Sequence[str]) -> None:
        try:
            copied = await self._drain.copy(resource_ids)
        except StoreUnavailableError:
            self._come_back_to(resource_ids)
            raise
        self._copied |= {each.resource_id: each for each in copied}
        self._come_back_to([each.resource_id for each in copied if not each.is_all])

    def _come_back_to(self, resource_ids: Sequence[str]) -> None:
        for each in resource_ids:
            self._noted.setdefault(each, 0)

    async def _hurry(self) -> None:
        """Drain the logs that grow fast, because every write carries its log along."""
        while True:
            await self._is_urgent.wait()
            self._is_urgent.clear()
            urgent, self._urgent = list(self._urgent), set()
            if not await self._tried(self._drain.drain(urgent)):
                self._come_back_to(urgent)
            self._on_moved()

    async def _sweep(self) -> None:
        """Drain what was left behind by processes that ended; rest when all is done, or nothing changes by it."""
        while True:
            seen: list[str] = []
            try:
                while await self._leases.acquire(_LEASE, 3 * _SWEEP_EVERY_S):
                    left = await self._left_behind()
                    if left in ([], seen) or not await self._tried(self._drain.drain(left)):
                        break
                    seen = left
            except StoreUnavailableError:
                _LOG.debug("the relay waits for the database")
            await asyncio.sleep(_SWEEP_EVERY_S)

    async def _left_behind(self) -> list[str]:
        before = format_timestamp(self._clock.now() - _LEFT_BEHIND)
        with translated():
            found = (
                await self._resources.find({"undrained": {"$lt": before}}, {"_id": 1})
                .limit(_MOST_AT_ONCE)
                .to_list(None)
            )
        return [each["_id"] for each in found]

    async def _tried(self, work: Awaitable[None]) -> bool:
        """Drain; what fails stays in the logs, and the next round or the sweep comes back to it."""
        try:
            await work
        except StoreUnavailableError:
            _LOG.debug("the relay waits for the database")
            return False
        except Exception:  # noqa: BLE001 - the relay must outlive one log that it cannot drain
            _LOG.exception("the relay could not drain some logs")
            return False
        return True
