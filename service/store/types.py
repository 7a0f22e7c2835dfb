"""Definitions of types: the collection `types`, one document each, and beside them a count of their changes."""

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from motor.motor_asyncio import AsyncIOMotorClientSession

from service.store.mongo import Client, Collection, Database, translated

Result = TypeVar("Result")

_COUNT = "$count"
"""No type can have this name."""


class MongoTypes:
    """Keeps definitions as JSON bytes, so that any schema is kept as it was sent."""

    def __init__(self, database: Database) -> None:
        self._client: Client = database.client
        self._types: Collection = database["types"]

    async def read_count(self) -> int:
        """Return how many changes there have been."""
        with translated():
            record = await self._types.find_one({"_id": _COUNT})
        return 0 if record is None else int(record["n"])

    async def read_all(self) -> dict[str, bytes]:
        """Return all definitions by name."""
        with translated():
            found = await self._types.find({"definition": {"$exists": True}}).to_list(None)
        return {each["_id"]: bytes(each["definition"]) for each in found}

    async def put(self, name: str, definition: bytes, *, since: int) -> bool | None:
        """Keep a definition; return whether the type had none before, None where the count has moved on."""

        async def change(session: AsyncIOMotorClientSession) -> bool | None:
            count = await self._types.find_one({"_id": _COUNT}, session=session)
            if since != (0 if count is None else count["n"]):
                return None
            kept = {"$set": {"definition": definition}}
            done = await self._types.update_one({"_id": name}, kept, upsert=True, session=session)
            return done.matched_count == 0

        return await self._counted(change)

    async def delete(self, name: str) -> bool:
        """Forget a definition; return whether there was one."""

        async def change(session: AsyncIOMotorClientSession) -> bool:
            return (await self._types.delete_one({"_id": name}, session=session)).deleted_count == 1

        return await self._counted(change)

    async def _counted(self, change: Callable[[AsyncIOMotorClientSession], Awaitable[Result]]) -> Result:
        """Make a change and count it in one transaction; None is none."""

        async def change_and_count(session: AsyncIOMotorClientSession) -> Result:
            result = await change(session)
            if result is not None:
                await self._types.update_one({"_id": _COUNT}, {"$inc": {"n": 1}}, upsert=True, session=session)
            return result

        with translated():
            async with await self._client.start_session() as session:
                return cast("Result", await session.with_transaction(change_and_count))
