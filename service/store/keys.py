"""API keys: one document each."""

import msgspec

from service.model import ApiKey
from service.store.mongo import Collection, Database, Record, translated


class MongoKeys:
    """Keeps keys in the collection `keys`."""

    def __init__(self, database: Database) -> None:
        self._keys: Collection = database["keys"]

    async def insert(self, key: ApiKey) -> None:
        """Keep a new key."""
        with translated():
            await self._keys.insert_one(_to_record(key))

    async def use(self, key_id: str, now: str) -> ApiKey | None:
        """Return the key and record its use, or None when there is none of that id."""
        with translated():
            record = await self._keys.find_one_and_update({"_id": key_id}, {"$set": {"used_at": now}})
        return _to_key(record) if record else None

    async def list_all(self) -> list[ApiKey]:
        """Return all keys, newest first."""
        with translated():
            return [_to_key(record) async for record in self._keys.find().sort("created_at", -1)]

    async def revoke(self, key_id: str, now: str) -> bool:
        """Revoke a key for good; return whether there was one to revoke."""
        with translated():
            result = await self._keys.update_one({"_id": key_id, "revoked_at": None}, {"$set": {"revoked_at": now}})
        return result.modified_count == 1


def _to_record(key: ApiKey) -> Record:
    record = msgspec.structs.asdict(key)
    return {"_id": record.pop("id"), **record, "types": list(key.types)}


def _to_key(record: Record) -> ApiKey:
    members = {name: value for name, value in record.items() if name != "_id"}
    return ApiKey(id=record["_id"], **{**members, "types": tuple(record["types"])})
