"""Leases: background work that any instance may do and one at a time should. Time is the database's own."""

from uuid import uuid4

from pymongo.errors import DuplicateKeyError

from service.store.mongo import Collection, Database, translated


class Leases:
    """Claims work by name for a while. A lease saves double work; what it guards must bear to be done twice."""

    def __init__(self, database: Database) -> None:
        self._records: Collection = database["leases"]
        self._owner = uuid4().hex

    async def acquire(self, name: str, seconds: float) -> bool:
        """Take the lease, or renew it; False while another instance holds it."""
        with translated():
            if await self._take(name, seconds):
                return True
            try:
                await self._records.insert_one({"_id": name, "owner": None, "until": None})
            except DuplicateKeyError:
                return False
            return await self._take(name, seconds)

    async def is_held(self, name: str) -> bool:
        """Tell whether anybody holds the lease."""
        with translated():
            return await self._records.find_one({"_id": name, "$expr": {"$gt": ["$until", "$$NOW"]}}) is not None

    async def release(self, name: str) -> None:
        """Give the lease back, if it is held."""
        with translated():
            await self._records.delete_one({"_id": name, "owner": self._owner})

    async def _take(self, name: str, seconds: float) -> bool:
        is_free = {"$or": [{"$eq": ["$owner", self._owner]}, {"$lt": ["$until", "$$NOW"]}]}
        until = {"$add": ["$$NOW", round(seconds * 1000)]}
        taken = await self._records.update_one(
            {"_id": name, "$expr": is_free}, [{"$set": {"owner": self._owner, "until": until}}]
        )
        return taken.matched_count == 1
