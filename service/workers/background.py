"""Work beside the requests: tasks that run for as long as a context stands, and rounds that nothing ends."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NoReturn

from service.errors import StoreError

_LOG = logging.getLogger(__name__)
_AWAY_S = 2.0
_LONGEST_S = 60.0


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run the work in the background; cancel it at the end and wait until it is over."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def forever(
    name: str, work: Callable[[], Awaitable[float]], *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> NoReturn:
    """Do round after round until cancelled; a round returns how many seconds to wait before the next.

    A round that fails is done again: shortly after where the database is away, and after a pause that doubles from
    one failure to the next where nobody foresaw it. The log has every such failure, the first of a kind with its
    traceback.
    """
    told: set[type[Exception]] = set()
    trouble_s = _AWAY_S
    while True:
        try:
            pause = await work()
            trouble_s = _AWAY_S
        except StoreError:
            pause = _AWAY_S
        except Exception as error:  # noqa: BLE001 - the rounds must outlive what one of them cannot do
            is_new = type(error) not in told
            told.add(type(error))
            _LOG.error("%s: a round failed: %s", name, type(error).__name__, exc_info=is_new)
            pause, trouble_s = trouble_s, min(trouble_s * 2, _LONGEST_S)
        await sleep(pause)
