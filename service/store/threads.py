"""Blocking calls of the driver, a whole batch in each, on threads of the store's own.

motor hops to a thread several times for one cursor; a batch of reads is worth one hop.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_LIGHT_BYTES = 128 * 1024
_HEAVY_AT_ONCE = 2


class Threads:
    """A few threads, which end when nobody holds this any more."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="store")

    def call(
        self, function: Callable[Parameters, Result], *arguments: Parameters.args, **named: Parameters.kwargs
    ) -> asyncio.Future[Result]:
        """Call the function on a thread, in the caller's context, which traces need."""
        context = contextvars.copy_context()
        return asyncio.get_running_loop().run_in_executor(
            self._pool, lambda: context.run(function, *arguments, **named)
        )


class Beside:
    """Calls functions: what is light at once, what is heavy on a thread, so that the event loop goes on meanwhile.

    A heavy one takes longer so, but nobody else waits for it.
    """

    def __init__(self) -> None:
        self._threads = Threads(_HEAVY_AT_ONCE)

    async def call(
        self,
        weight: int,
        function: Callable[Parameters, Result],
        *arguments: Parameters.args,
        **named: Parameters.kwargs,
    ) -> Result:
        """Call the function, whose work goes with so many bytes."""
        if weight <= _LIGHT_BYTES:
            return function(*arguments, **named)
        return await self._threads.call(function, *arguments, **named)
