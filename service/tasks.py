"""Tasks brought to their end with whoever began them: work that goes on until it is cancelled, works done at once."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")

_PATIENCE_S = 2.0


@asynccontextmanager
async def running(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run the works in the background; end them with the context, all at once. What one failed with is raised then."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        await end(*tasks)
        for task in tasks:
            if not task.cancelled():
                task.result()


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel the tasks and wait until all are over, whatever they came to.

    One that is not over shortly after is cancelled again. It may wait in its cleanup for what hangs; and its
    cancellation is lost where the cleanup fails, because that failure takes its place.
    """
    waiting = set(tasks)
    cancelled = {task for task in tasks if task.cancelling()}  # their cleanup is not to be cut short
    while waiting:
        for task in waiting - cancelled:
            task.cancel()
        cancelled.clear()
        over, waiting = await asyncio.wait(waiting, timeout=_PATIENCE_S)
        for task in over:
            if not task.cancelled():
                task.exception()  # asyncio complains later of what nobody has asked for


async def to_its_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Do the work to its end, also where that is cancelled meanwhile; the cancellation is raised then."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
        raise


async def together(works: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Do all at once. The first failure ends the others, and a cancellation all; it is raised when they are over."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await end(*tasks)
