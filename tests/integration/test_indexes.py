"""Instances that start at the same time on an empty database do not get in each other's way."""

import asyncio

from service.store.indexes import ensure_indexes
from service.store.mongo import Client


async def test_many_may_make_collections_and_indexes_at_once(mongo: Client, database_name: str) -> None:
    database = mongo[f"{database_name}-new"]

    await asyncio.gather(*(ensure_indexes(database) for _ in range(8)))

    made = await database["outbox"].index_information()
    await mongo.drop_database(database.name)
    assert "due" in made
