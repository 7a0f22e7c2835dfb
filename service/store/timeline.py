"""Which version a resource had at a time: by halving, because times never run backwards in a history."""

from pymongo import DESCENDING

from service.store.mongo import Collection, Database, Record, translated
from service.store.records import revision_id


class MongoTimeline:
    """Reads times from the log of the resource's record and from `revisions` behind it, by `_id` alone."""

    def __init__(self, database: Database) -> None:
        self._resources: Collection = database["resources"]
        self._drained: Collection = database["revisions"]

    async def find_version_at(self, resource_id: str, moment: str) -> int | None:
        """Return the newest version that is not younger than the moment, None where none is, or is kept."""
        with translated():
            record = await self._resources.find_one({"_id": resource_id}, {"v": 1, "log.v": 1, "log.at": 1})
            if record is None:
                return None
            logged = [entry["v"] for entry in record["log"] if entry["at"] <= moment]
            return max(logged) if logged else await self._search(resource_id, record["v"], moment)

    async def _search(self, resource_id: str, newest: int, moment: str) -> int | None:
        found = None
        low, high = 1, newest
        while low <= high:
            entry = await self._at_or_below(resource_id, (low + high) // 2)
            if entry is not None and entry["at"] > moment:
                high = entry["v"] - 1
            else:
                found = entry["v"] if entry else found
                low = (low + high) // 2 + 1
        return found

    async def _at_or_below(self, resource_id: str, version: int) -> Record | None:
        bound = {"$gte": revision_id(resource_id, 0), "$lte": revision_id(resource_id, version)}
        bucket = await self._drained.find_one(
            {"resource": resource_id, "_id": bound}, {"entries.v": 1, "entries.at": 1}, sort=[("_id", DESCENDING)]
        )
        entries = [entry for entry in bucket["entries"] if entry["v"] <= version] if bucket else []
        return entries[-1] if entries else None
