"""Definitions of types: the collection `types`, one document each, and beside them a count of their changes."""

from typing import Any, cast

from pymongo import ReturnDocument

from service.store.mongo import Client, Collection, Database, translated

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

    async def put(self, name: str, definition: bytes) -> bool:
        """Keep a definition; return whether the type had none before."""
        return await self._change(name, definition) is None

    async def delete(self, name: str) -> bool:
        """Forget a definition; return whether there was one."""
        return await self._change(name, None) is not None

    async def _change(self, name: str, definition: bytes | None) -> bytes | None:
        """Change definition and count in one transaction; return the definition that was there."""
        with translated():
            async with await self._client.start_session() as session:

                async def change(_: object) -> bytes | None:
                    if definition is None:
                        found: Any = await self._types.find_one_and_delete({"_id": name}, session=session)
                    else:
                        found = await self._types.find_one_and_update(
                            {"_id": name},
                            {"$set": {"definition": definition}},
                            upsert=True,
                            return_document=ReturnDocument.BEFORE,
                            session=session,
                        )
                    await self._types.update_one({"_id": _COUNT}, {"$inc": {"n": 1}}, upsert=True, session=session)
                    return None if found is None else bytes(found["definition"])

                return cast("bytes | None", await session.with_transaction(change))
