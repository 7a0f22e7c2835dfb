"""Providers: one document each, `_id` being the name."""

import msgspec
from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

from service.delivery import Endpoint
from service.store.mongo import Collection, Database, Record, translated


class MongoEndpoints:
    """Keeps providers' endpoints in the collection `providers`."""

    def __init__(self, database: Database) -> None:
        self._providers: Collection = database["providers"]

    async def put(self, provider: Endpoint, before: Endpoint | None) -> bool:
        """Keep a provider in place of one that was read, None for none; False when that is not what is there."""
        record = msgspec.to_builtins(provider)
        record["_id"] = record.pop("name")
        with translated():
            if before is not None:
                return (await self._providers.replace_one(_as_read(before), record)).matched_count == 1
            try:
                await self._providers.insert_one(record)
            except DuplicateKeyError:
                return False
        return True

    async def find(self, name: str) -> Endpoint | None:
        """Return the provider, or None when there is none of that name."""
        with translated():
            record = await self._providers.find_one({"_id": name})
        return _to_provider(record) if record else None

    async def list_after(self, name: str, limit: int) -> list[Endpoint]:
        """Return providers in the order of their names, those after `name`."""
        with translated():
            found = self._providers.find({"_id": {"$gt": name}}).sort("_id", ASCENDING).limit(limit)
            return [_to_provider(record) async for record in found]

    async def disable(self, provider: Endpoint, at: str) -> None:
        """Send it nothing more, unless it was written anew since it was read."""
        with translated():
            await self._providers.update_one({**_as_read(provider), "disabled_at": None}, {"$set": {"disabled_at": at}})

    async def delete(self, name: str) -> bool:
        """Forget a provider; return whether there was one."""
        with translated():
            return (await self._providers.delete_one({"_id": name})).deleted_count == 1


def _as_read(provider: Endpoint) -> Record:
    return {"_id": provider.name, "updated_at": provider.updated_at}


def _to_provider(record: Record) -> Endpoint:
    return msgspec.convert({**record, "name": record["_id"]}, Endpoint)
