"""Tasks that go on until they are cancelled: begun with a context, and brought to their end with it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

_PATIENCE_S = 2.0


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run the work in the background; end it with the context. What it failed with, if anything, is raised then."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await end(task)
        if not task.cancelled():
            task.result()


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel the tasks and wait until all are over, whatever they came to.

    One that is not over shortly after is cancelled again. It may wait in its cleanup for what hangs; and its
    cancellation is lost where the cleanup fails, because that failure takes its place.
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=_PATIENCE_S)
