"""Background work ended at every await in turn, as by a stop: who goes on with it loses and doubles nothing."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from service.app import SystemClock
from service.store.feed import MongoFeed
from service.store.indexes import ensure_indexes
from service.store.mongo import Client, Database
from service.store.resources import MongoResources
from tests.cancelling import Moment, cancel_at_every_suspension
from tests.integration.changes import ANN, create, increment


@pytest.fixture(name="own")
async def make_database(mongo: Client) -> AsyncIterator[Database]:
    """A database where nobody else works."""
    name = f"cuts-{uuid.uuid4().hex[:12]}"
    await ensure_indexes(mongo[name])
    yield mongo[name]
    await mongo.drop_database(name)


@pytest.mark.parametrize("moment", ["waiting", "served"])
async def test_every_version_is_kept_and_told_once(own: Database, moment: Moment) -> None:
    resources, feed = MongoResources(own, SystemClock()), MongoFeed(own)
    made: list[str] = []

    async def change() -> None:
        made.append(str(uuid.uuid4()))
        await resources.write(made[-1], "clinic", create({}), ANN)
        await resources.write(made[-1], "clinic", increment("n"), ANN)

    async def go_on() -> None:
        await resources.relay.drain(made)
        while await feed.advance():
            pass

    async def check() -> None:
        async with asyncio.timeout(60):
            await go_on()
        events = [each for each in await feed.list_after(0, 10_000) if each.resource_id == made[-1]]
        assert [each.version for each in events] == [1, 2]
        await change()

    await change()
    assert await cancel_at_every_suspension(go_on, moment, check) > 10
    await check()
