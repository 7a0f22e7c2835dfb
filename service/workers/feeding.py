"""The feed's background work: one instance, by lease, makes the events; every instance tells its followers."""

import asyncio
import contextlib
import time
from datetime import timedelta

from service.core.timestamp import format_timestamp
from service.errors import StoreError
from service.ports import Clock, FeedSignals, FeedStore, Lease
from service.workers.background import forever

_LEASE = "feeder"
_PAUSE_S = 0.2
_IDLE_S = 2.0
_LEASE_S = 10.0
_TRIM_EVERY = 3600 / _PAUSE_S
_POLL_S = 1.0


class Feeder:
    """Makes events; a context of the application's life is `run`."""

    def __init__(self, feed: FeedStore, lease: Lease, clock: Clock, kept: timedelta) -> None:
        self._feed = feed
        self._lease = lease
        self._clock = clock
        self._kept = kept
        self._rounds = 0
        self._leased_at = -_LEASE_S

    async def run(self) -> None:
        """Make events until cancelled. Whatever fails is tried again: nothing is taken off before it is an event."""
        try:
            await forever("events", self._round)
        finally:
            with contextlib.suppress(StoreError):
                await self._lease.release(_LEASE)

    async def _round(self) -> float:
        if not await self._is_leased():
            return _IDLE_S
        while await self._feed.advance():
            await self._is_leased()
        if self._rounds % _TRIM_EVERY == 0:
            await self._feed.trim(format_timestamp(self._clock.now() - self._kept))
        self._rounds += 1
        return _PAUSE_S

    async def _is_leased(self) -> bool:
        """Hold the lease; it is renewed now and then, not for every round."""
        now = time.monotonic()
        if now - self._leased_at > _LEASE_S / 4:
            if not await self._lease.acquire(_LEASE, _LEASE_S):
                return False
            self._leased_at = now
        return True


class Watch:
    """Counts signals of new events, and wakes who waits. Signals make it prompt; a slow poll makes it certain."""

    def __init__(self, signals: FeedSignals) -> None:
        self._signals = signals
        self._changed = asyncio.Condition()
        self.count = 0
        self.is_closing = False

    async def changed(self, seen: int, timeout_s: float) -> None:
        """Wait until `count` is more than `seen`, or the time is up, or the service stops."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(timeout_s, _POLL_S)), self._changed:
                await self._changed.wait_for(lambda: self.count > seen or self.is_closing)

    async def run(self) -> None:
        """Pass signals on until cancelled."""
        await forever("followers", self._pass_on)

    async def _pass_on(self) -> float:
        async for _ in self._signals.follow():
            await self._wake()
        return 0.0

    async def close(self) -> None:
        """Send everybody home: the service stops."""
        self.is_closing = True
        await self._wake()

    async def _wake(self) -> None:
        async with self._changed:
            self.count += 1
            self._changed.notify_all()
