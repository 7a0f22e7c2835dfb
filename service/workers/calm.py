"""Calm: how long work in the background rests when it finds nothing to do."""

import asyncio
import contextlib
from dataclasses import dataclass, field


class Calm:
    """Rests that grow while nothing is found, so that an idle service hardly asks; whoever makes work ends them.

    Work that other instances make is found when a rest is over, so the longest is how late that may be.
    """

    def __init__(self, shortest_s: float = 0.25, longest_s: float = 2.0) -> None:
        self._shortest_s = self._rest_s = shortest_s
        self._longest_s = longest_s
        self._stirred = asyncio.Event()

    def stir(self) -> None:
        """End the rest: there is work, or there will be in a moment, which the next rests are short for."""
        self._rest_s = self._shortest_s
        self._stirred.set()

    async def rest(self) -> None:
        """Wait until stirred or until the time is over; the next rest is twice as long."""
        self._stirred.clear()
        rest_s, self._rest_s = self._rest_s, min(self._rest_s * 2, self._longest_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(rest_s):
                await self._stirred.wait()


@dataclass(frozen=True)
class Calms:
    """The rests of all who look for work again and again, for those to stir who make it."""

    events: Calm = field(default_factory=lambda: Calm(longest_s=1.0))
    deliveries: Calm = field(default_factory=Calm)
    rollouts: Calm = field(default_factory=Calm)
    jobs: Calm = field(default_factory=Calm)
    callbacks: Calm = field(default_factory=Calm)
