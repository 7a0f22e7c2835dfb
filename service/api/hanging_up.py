"""Clients that hang up before they are answered: what is worked out for them alone is given up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

_LOOK_EVERY_S = 0.25


def has_hung_up(request: web.Request) -> bool:
    """Tell whether nobody is left to be answered."""
    return request.transport is None or request.transport.is_closing()


@asynccontextmanager
async def while_awaited(request: web.Request) -> AsyncIterator[None]:
    """Cancel the work within when the client hangs up, and raise `ConnectionResetError`. Nothing may be written in it.

    The server tells no handler, because what changes something is to be finished.
    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    is_cancelled = False
    timer: asyncio.TimerHandle

    def look() -> None:
        nonlocal is_cancelled, timer
        if task is not None and has_hung_up(request):
            is_cancelled = task.cancel()
        else:
            timer = loop.call_later(_LOOK_EVERY_S, look)

    timer = loop.call_later(_LOOK_EVERY_S, look)
    try:
        yield
    except asyncio.CancelledError:
        if task is None or not is_cancelled or task.uncancel() > 0:
            raise
        raise ConnectionResetError("The client has hung up.") from None
    finally:
        timer.cancel()
