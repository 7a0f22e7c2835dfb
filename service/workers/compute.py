"""Pure work, off the event loop: inline where it is small, in threads with the native core, else in processes."""

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from service.core import diff
from service.core.assignment import AnyAssignment, Product
from service.core.diff import Outcome
from service.core.engine import Cancellation, Engine
from service.core.options import DiffOptions
from service.workers.gate import Gate
from service.workers.lane import Lane, too_slow

INLINE_BYTES = 16 * 1024
"""Up to so many bytes of input the reference engine works on the event loop: about a millisecond."""

NATIVE_INLINE_BYTES = 64 * 1024
"""The same for the native core."""

MAX_WAITING = 64
MAX_BYTES_IN_FLIGHT = 256 * 1024 * 1024
_PATIENCE_S = 1.0

_Result = TypeVar("_Result")


class Compute:
    """Carries out work that only computes: bytes in, bytes out. Everything about it is bounded.

    Threads serve the native core, which releases the interpreter lock; whatever is written in Python goes to
    processes. `OverloadedError` when too much waits already, `TooComplexError` when `timeout_s`, the setting
    `limit`, is not enough or the process dies; a caller that is cancelled frees its place.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        timeout_s: float = 30.0,
        limit: str = "diff_timeout_s",
        slots: int | None = None,
        max_waiting: int = MAX_WAITING,
        max_bytes: int = MAX_BYTES_IN_FLIGHT,
    ) -> None:
        slots = slots or max(1, min(4, os.cpu_count() or 1))
        self.engine = engine
        self._timeout_s = timeout_s
        self._limit = limit
        self._gate = Gate(slots, max_waiting=max_waiting, max_bytes=max_bytes, patience_s=timeout_s)
        self._idle = [Lane(limit) for _ in range(slots)]
        self._lanes = list(self._idle)
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="compute")

    async def compare(self, before: bytes, after: bytes, options: DiffOptions) -> Outcome:
        """Compare two JSON texts with the engine that was chosen."""
        size = len(before) + len(after)
        if size <= (NATIVE_INLINE_BYTES if self.engine.releases_lock else INLINE_BYTES):
            return self.engine.compare_bytes(before, after, options)
        if not self.engine.releases_lock:
            return await self._in_process(size, diff.compare_bytes, before, after, options)
        async with self._gate.enter(size):
            return await self._in_thread(before, after, options)

    async def run(self, assignment: AnyAssignment, texts: Mapping[str, bytes]) -> Product:
        """Carry out what the compare family is asked for."""
        return await self.call(assignment.run, dict(texts), size=sum(map(len, texts.values())))

    async def call(self, function: Callable[..., _Result], *arguments: object, size: int) -> _Result:
        """Carry out any pure function of a module whose arguments, of `size` bytes, and result can be pickled."""
        if size <= INLINE_BYTES:
            return function(*arguments)
        return await self._in_process(size, function, *arguments)

    async def close(self) -> None:
        """Give up what is being worked on, and end all processes and threads."""
        await asyncio.gather(*(lane.close() for lane in self._lanes))
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    async def _in_process(self, size: int, function: Callable[..., _Result], *arguments: object) -> _Result:
        async with self._gate.enter(size):
            lane = self._idle.pop()  # the one that worked last is the warmest
            try:
                return await lane.run(self._timeout_s, function, *arguments)
            finally:
                self._idle.append(lane)

    async def _in_thread(self, before: bytes, after: bytes, options: DiffOptions) -> Outcome:
        cancellation = Cancellation()
        work = self._threads.submit(self.engine.compare_bytes, before, after, options, cancellation)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.wrap_future(work)
        except TimeoutError as exc:
            raise too_slow(self._timeout_s, self._limit) from exc
        finally:
            # The place is free when the thread is: a cancelled comparison ends within milliseconds.
            cancellation.cancel()
            if not work.done():
                await asyncio.shield(asyncio.to_thread(wait, [work], _PATIENCE_S))
