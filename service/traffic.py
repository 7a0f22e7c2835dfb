"""The requests being served by this process: named, and counted, so that it can stop without cutting one off."""

import asyncio
import itertools
import uuid

_ARRIVAL_S = 0.25
"""How long a request may take to arrive on a connection that was accepted before the stop."""


class Traffic:
    """Requests in flight. `is_stopping` says that connections are to end with the answer they get from now on.

    aiohttp's own shutdown drops what still arrives on a connection, so a request whose body is on its way could never
    finish; therefore `drain` comes first, and aiohttp closes connections on which nothing is left to happen.
    """

    def __init__(self) -> None:
        self.is_stopping = False
        self._tasks: set[asyncio.Task[object]] = set()
        self._ended = asyncio.Event()
        self._process = str(uuid.uuid4())[:23]
        self._numbers = itertools.count(1)

    @property
    def count(self) -> int:
        """How many requests are in flight."""
        return len(self._tasks)

    def make_id(self) -> str:
        """Name a request by a UUID: random for the process, counted within it, because randomness is dear."""
        return f"{self._process}-{next(self._numbers):012x}"

    def enter(self, task: asyncio.Task[object]) -> None:
        """Count the request that the task serves."""
        self._tasks.add(task)

    def leave(self, task: asyncio.Task[object]) -> None:
        """Count it no more."""
        self._tasks.discard(task)
        if self.is_stopping:
            self._ended.set()

    async def drain(self, grace_s: float) -> int:
        """Wait until no request is left, at most so long; then cancel the rest and return how many they were.

        New ones must not come any more.
        """
        self.is_stopping = True
        await asyncio.sleep(_ARRIVAL_S)
        try:
            async with asyncio.timeout(grace_s):
                while self._tasks:
                    self._ended.clear()
                    await self._ended.wait()
        except TimeoutError:
            cut = list(self._tasks)
            for task in cut:
                task.cancel()
            return len(cut)
        return 0
