"""The feed forgets what is old, and nothing that a follower may still come for."""

from datetime import timedelta

import msgspec
import pytest

from service.core.timestamp import format_timestamp
from service.errors import FeedGoneError
from service.patches import Move
from service.store.companions import write_together
from service.store.draining import Drain
from service.store.feed import MongoFeed
from service.store.mongo import Database
from service.store.moves import to_insertion
from service.store.resources import MongoResources
from service.store.revisions import Revisions
from tests.clocks import ShiftedClock
from tests.integration.changes import ANN, create, increment

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


@pytest.mark.parametrize("copied", [["r", "t"], ["r"], ["t"], []])
async def test_what_became_of_a_resource_and_its_patches_stands_in_one_order(own: Database, copied: list[str]) -> None:
    """Also where a log holds both what came before the patch and after, and is not cut yet."""
    clock = ShiftedClock()
    resources, feed = MongoResources(own, clock), MongoFeed(own)

    async def tick() -> str:
        clock.ahead += timedelta(seconds=1)
        return format_timestamp(clock.now())

    for each in ("r", "t"):
        await tick()
        await resources.write(each, "clinic", create({}), ANN)
    await write_together(own, (to_insertion(a_move(await tick()), FeedGoneError("")),))
    for each in ("r", "t"):
        await tick()
        await resources.write(each, "clinic", increment("n"), ANN)
    await Drain(own, Revisions(own)).copy(copied)

    await feed.advance()
    await resources.relay.drain(["r", "t"])
    await feed.advance()

    events = [(each.resource_id, each.type) for each in await feed.list_after(0, 10)]
    assert sorted(events) == sorted(set(events))
    assert [kind for identity, kind in events if identity == "r"] == [
        "resource.created",
        "patch.applied",
        "resource.patched",
    ]
    assert [kind for identity, kind in events if identity == "t"] == ["resource.created", "resource.patched"]


async def test_a_log_that_cannot_be_drained_holds_up_its_own_moves_alone(own: Database) -> None:
    await own["resources"].insert_one({"_id": "t", "log": [{"v": 64, "at": OLD}], "logBytes": 1, "v": 64, "type": "c"})
    apart = msgspec.structs.replace(a_move(NEW), id="n", resource_id="s", target_id=None)
    await write_together(own, [to_insertion(each, FeedGoneError("")) for each in (a_move(NEW), apart)])
    feed = MongoFeed(own)

    await feed.advance()

    assert [each.resource_id for each in await feed.list_after(0, 10)] == ["s"]


def a_move(at: str) -> Move:
    return Move(
        id="m",
        resource_id="r",
        resource_type="clinic",
        patch_id="p",
        application_id="a",
        target_id="t",
        attempt=1,
        verb="apply",
        source="pending",
        to="applied",
        at=at,
        by="ann",
    )
