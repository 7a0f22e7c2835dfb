"""Admission of heavy work: how much may run, how much may wait, and how many bytes all of it may hold."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.errors import OverloadedError


class Gate:
    """Lets `slots` in at a time; `max_waiting` may wait, and all together hold `max_bytes`."""

    def __init__(self, slots: int, *, max_waiting: int, max_bytes: int, patience_s: float) -> None:
        self._slots = asyncio.Semaphore(slots)
        self._room = slots + max_waiting
        self._max_bytes = max_bytes
        self._patience_s = patience_s
        self._inside = 0
        self._bytes = 0

    @asynccontextmanager
    async def enter(self, size: int) -> AsyncIterator[None]:
        """Wait for a slot and hold it. `OverloadedError` when too much waits, or the wait is too long."""
        if self._inside >= self._room or (self._inside and self._bytes + size > self._max_bytes):
            raise OverloadedError("Too many large documents are being worked on. Try again in a moment.")
        self._inside += 1
        self._bytes += size
        try:
            await self._wait()
            try:
                yield
            finally:
                self._slots.release()
        finally:
            self._inside -= 1
            self._bytes -= size

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                await self._slots.acquire()
        except TimeoutError as exc:
            detail = "Large documents have been worked on for long, and others wait. Try again in a moment."
            raise OverloadedError(detail, retry_after_s=self._patience_s) from exc
