"""Instances that start at the same time on an empty database do not get in each other's way."""

import asyncio

import pytest

from service.errors import InvalidRequestError
from service.store import members
from service.store.indexes import ensure_indexes
from service.store.members import MongoIndexes
from service.store.mongo import Client, Database


async def test_many_may_make_collections_and_indexes_at_once(mongo: Client, database_name: str) -> None:
    database = mongo[f"{database_name}-new"]

    await asyncio.gather(*(ensure_indexes(database) for _ in range(8)))

    made = await database["outbox"].index_information()
    await mongo.drop_database(database.name)
    assert "due" in made


async def test_indexes_that_no_type_names_give_way(own: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else so many names, once used, would be all that a database ever had."""
    monkeypatch.setattr(members, "_MOST_INDEXES", 4)
    indexes = MongoIndexes(own)
    await indexes.ensure_members([("a",), ("b",), ("c",)])

    await indexes.ensure_members([("d",), ("b",), ("c",)])

    made = await own["resources"].index_information()
    assert {str(keys["key"][1][0]) for name, keys in made.items() if name != "_id_"} == {f"content.{x}" for x in "bcd"}
    for dry_run in (True, False):
        with pytest.raises(InvalidRequestError, match="4 indexes are in use"):
            await indexes.ensure_members([("e",), ("b",), ("c",), ("d",)], dry_run=dry_run)


async def test_a_dry_run_makes_and_drops_no_index(own: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "_MOST_INDEXES", 2)
    indexes = MongoIndexes(own)
    await indexes.ensure_members([("a",)])
    before = await own["resources"].index_information()

    await indexes.ensure_members([("b",)], dry_run=True)

    assert await own["resources"].index_information() == before
