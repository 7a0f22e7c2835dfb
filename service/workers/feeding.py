"""The feed's background work: one instance, by lease, makes the events; every instance tells its followers."""

import asyncio
import contextlib
import time
from datetime import timedelta

from service.core.timestamp import format_timestamp
from service.errors import StoreError
from service.ports import Clock, FeedSignals, FeedStore, Lease
from service.workers.background import forever
from service.workers.calm import Calm
from service.workers.hold import Hold

_LEASE = "feeder"
_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 2.0
_SHARE = 8
"""The feeder rests so many times as long as it works: under load much becomes events at once, which costs less."""
_STANDBY_S = 2.0
_LEASE_S = 10.0
_TRIM_EVERY_S = 3600.0
_POLL_S = 1.0
_UNWANTED_AFTER_S = 10.0


class Feeder:
    """Makes events; `run` is a task of the application's life. `calm` is stirred when the history has grown."""

    def __init__(self, feed: FeedStore, lease: Lease, clock: Clock, kept: timedelta, calm: Calm) -> None:
        self._feed = feed
        self._hold = Hold(lease, _LEASE, _LEASE_S)
        self._clock = clock
        self._kept = kept
        self._calm = calm
        self._trimmed_at = -_TRIM_EVERY_S

    async def run(self) -> None:
        """Make events until cancelled. Whatever fails is tried again: nothing is taken off before it is an event."""
        try:
            await forever("events", self._round)
        finally:
            with contextlib.suppress(StoreError):
                await self._hold.release()

    async def _round(self) -> float:
        if not await self._hold.keep():
            return _STANDBY_S
        began = time.monotonic()
        made = 0
        while more := await self._feed.advance():
            made += more
            await self._hold.keep()
        if began - self._trimmed_at > _TRIM_EVERY_S:
            await self._feed.trim(format_timestamp(self._clock.now() - self._kept))
            self._trimmed_at = began
        if made:
            self._calm.stir()
            return min(max(_PAUSE_S, _SHARE * (time.monotonic() - began)), _LONGEST_PAUSE_S)
        await self._calm.rest()
        return 0.0


class Watch:
    """Counts signals of new events, and wakes who waits. Signals make it prompt; a slow poll makes it certain.

    Signals are followed while somebody waits: for each of its writes the database would look whether it is one.
    """

    def __init__(self, signals: FeedSignals) -> None:
        self._signals = signals
        self._changed = asyncio.Condition()
        self._is_wanted = asyncio.Event()
        self._wanted_at = 0.0
        self.count = 0
        self.is_closing = False

    async def changed(self, seen: int, timeout_s: float) -> None:
        """Wait until `count` is more than `seen`, or the time is up, or the service stops."""
        self._wanted_at = time.monotonic()
        self._is_wanted.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(timeout_s, _POLL_S)), self._changed:
                await self._changed.wait_for(lambda: self.count > seen or self.is_closing)

    async def run(self) -> None:
        """Pass signals on until cancelled."""
        await forever("followers", self._pass_on)

    async def _pass_on(self) -> float:
        await self._is_wanted.wait()
        async with contextlib.aclosing(self._signals.follow()) as signals:
            async for is_new in signals:
                if is_new:
                    await self._wake()
                if time.monotonic() > self._wanted_at + _UNWANTED_AFTER_S:
                    self._is_wanted.clear()
                    break
        return 0.0

    async def close(self) -> None:
        """Send everybody home: the service stops."""
        self.is_closing = True
        await self._wake()

    async def _wake(self) -> None:
        async with self._changed:
            self.count += 1
            self._changed.notify_all()
