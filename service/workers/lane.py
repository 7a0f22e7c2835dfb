"""One process that works on one thing at a time, and can be given up in the middle of it."""

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import TypeVar

from service.errors import TooComplexError

_Result = TypeVar("_Result")


class Lane:
    """A process that is started when it is needed, and replaced when it dies or takes too long."""

    def __init__(self, limit: str) -> None:
        """`limit` is the name of the setting that bounds the time of a call."""
        self._limit = limit
        self._executor: ProcessPoolExecutor | None = None
        self._pid: int | None = None

    async def run(self, timeout_s: float, function: Callable[..., _Result], *arguments: object) -> _Result:
        """Carry out a function of a module, whose arguments and result can be pickled; one call at a time.

        Raises what the function raises, and `TooComplexError` when it takes too long or its process dies. After
        either, and when the caller is cancelled, the process is killed.
        """
        try:
            executor = await self._started()
            async with asyncio.timeout(timeout_s):
                return await asyncio.wrap_future(executor.submit(_undisturbed, function, *arguments))
        except TimeoutError as exc:
            self.kill()
            raise too_slow(timeout_s, self._limit) from exc
        except BrokenProcessPool as exc:
            self._pid = None
            self.kill()
            detail = (
                "The process at work on the documents died, for want of memory perhaps. Try smaller ones, or again."
            )
            raise TooComplexError(detail) from exc
        except asyncio.CancelledError:
            self.kill()
            raise

    def kill(self) -> ProcessPoolExecutor | None:
        """End the process, whatever it is at, and give what it belonged to; the next call starts another."""
        executor, pid = self._executor, self._pid
        self._executor = self._pid = None
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)
        return executor

    async def close(self) -> None:
        """Kill the process and wait until nothing is left of it."""
        executor = self.kill()
        if executor is not None:
            await asyncio.to_thread(executor.shutdown)

    async def _started(self) -> ProcessPoolExecutor:
        if self._executor is None:
            # Never forked: the service has threads. A pool for each process: the death of one breaks its whole pool.
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(1, mp_context=context, initializer=_prepare)
        if self._pid is None:
            self._pid = await asyncio.wrap_future(self._executor.submit(os.getpid))
        return self._executor


def too_slow(timeout_s: float, limit: str) -> TooComplexError:
    """Give the error for work that did not end in time."""
    detail = f"The work did not end within {timeout_s:g} seconds. Compare smaller documents, or parts of them."
    return TooComplexError(detail, limit=limit, maximum=timeout_s)


def _undisturbed(function: Callable[..., _Result], *arguments: object) -> _Result:
    """Call without garbage collection, which makes decoding large documents several times slower and finds nothing."""
    gc.disable()
    try:
        return function(*arguments)
    finally:
        gc.enable()


def _prepare() -> None:
    """Live exactly as long as the service: signals are for it, and nothing outlives it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()
    gc.freeze()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
