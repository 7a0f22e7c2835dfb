"""Work beside the requests: rounds that nothing ends but a cancellation."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

from service.errors import StoreError

_LOG = logging.getLogger(__name__)
_AWAY_S = 2.0
_LONGEST_S = 60.0


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
        except StoreError as error:
            _end_if_cancelled(error)
            pause = _AWAY_S
        except Exception as error:  # noqa: BLE001 - the rounds must outlive what one of them cannot do
            _end_if_cancelled(error)
            is_new = type(error) not in told
            told.add(type(error))
            _LOG.error("%s: a round failed: %s", name, type(error).__name__, exc_info=is_new)
            pause, trouble_s = trouble_s, min(trouble_s * 2, _LONGEST_S)
        await sleep(pause)


def _end_if_cancelled(error: Exception) -> None:
    """Raise the cancellation whose place the error took: the round was being cleaned up after when it came."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError from error
