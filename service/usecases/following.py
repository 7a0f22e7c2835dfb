"""Following the feed: what happened after a position, at once or as soon as something does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from service.errors import InvalidRequestError
from service.model import Caller, Event
from service.ports import FeedStore, FeedWatch

LATEST = "latest"


async def read_position(text: str | None, feed: FeedStore) -> int:
    """Turn what the caller sent into a position: nothing is the beginning, `latest` the newest event."""
    if not text:
        return 0
    if text == LATEST:
        return await feed.last_position()
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidRequestError(
            f"The position {text!r} is none; take `position` of an event, or 'latest'.", field="after"
        )
    return int(text)


class Reader(NamedTuple):
    """Who follows; `has_left` tells whether anybody still waits for an answer."""

    caller: Caller
    has_left: Callable[[], bool]


class Passage(NamedTuple):
    """Events that the caller may see, and the position up to which there are no more of them."""

    events: list[Event]
    end: int


async def read(
    position: int, *, limit: int, wait_s: float, reader: Reader, feed: FeedStore, watch: FeedWatch
) -> Passage:
    """Return events after the position; when there are none, wait for one for a while, and not for who has left.

    Raises `FeedGoneError` when events after the position are kept no more.
    """
    deadline = asyncio.get_running_loop().time() + wait_s
    while True:
        seen = watch.count
        events = await feed.list_after(position, limit)
        visible = [event for event in events if _may_see(reader.caller, event)]
        position = events[-1].position if events else position
        left = deadline - asyncio.get_running_loop().time()
        if visible or left <= 0 or watch.is_closing or reader.has_left():
            return Passage(visible, position)
        if len(events) < limit:
            await watch.changed(seen, left)


async def stream(
    position: int, *, heartbeat_s: float, reader: Reader, feed: FeedStore, watch: FeedWatch
) -> AsyncIterator[list[Event]]:
    """Yield events as they come, an empty list when there were none for a while.

    Ends when the service stops or the reader leaves.
    """
    while not (watch.is_closing or reader.has_left()):
        passage = await read(position, limit=500, wait_s=heartbeat_s, reader=reader, feed=feed, watch=watch)
        yield passage.events
        position = passage.end


def _may_see(caller: Caller, event: Event) -> bool:
    return caller.types is None or event.resource_type in caller.types
