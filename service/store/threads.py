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
