"""The feed forgets what is old, and nothing that a follower may still come for."""

import pytest

from service.errors import FeedGoneError
from service.store.feed import MongoFeed
from service.store.mongo import Database

OLD, BEFORE, NEW = (f"2026-0{month}-01T00:00:00.000000Z" for month in (1, 2, 3))


async def fill(own: Database, *times: str) -> MongoFeed:
    """A feed of one record for each moment, from position 1 on."""
    made = {
        "type": "resource.created",
        "resource": "r",
        "resourceType": "clinic",
        "version": 1,
        "by": "ann",
        "why": None,
    }
    await own["events"].insert_many([{"_id": position, "at": at, **made} for position, at in enumerate(times, 1)])
    await own["counters"].insert_one({"_id": "feed", "n": len(times)})
    return MongoFeed(own)


async def test_old_events_that_came_late_take_no_newer_ones_with_them(own: Database) -> None:
    """A relay that was away for long brings them behind what happened since."""
    feed = await fill(own, OLD, NEW, OLD, NEW)

    assert await feed.trim(BEFORE) == 1
    assert [each.position for each in await feed.list_after(1, 10)] == [2, 3, 4]


@pytest.mark.parametrize(("times", "trimmed"), [((OLD, OLD), 2), ((NEW, OLD), 0)])
async def test_what_is_all_old_is_forgotten(own: Database, times: tuple[str, ...], trimmed: int) -> None:
    feed = await fill(own, *times)

    assert await feed.trim(BEFORE) == trimmed
    assert await feed.trim(BEFORE) == 0
    if trimmed:
        with pytest.raises(FeedGoneError):
            await feed.list_after(1, 10)
    else:
        assert len(await feed.list_after(1, 10)) == 1


async def test_an_empty_feed_has_nothing_to_forget(own: Database) -> None:
    assert await MongoFeed(own).trim(BEFORE) == 0
