"""Which version a resource had at a time: by halving, because times never run backwards in a history."""

from pymongo import DESCENDING

from service.store.mongo import Collection, Database, Record, translated
from service.store.records import revision_id

_TIMES = {"last": 1, "entries.v": 1, "entries.at": 1}


class MongoTimeline:
    """Reads times from the log of the resource's record and from `revisions` behind it, by `_id` alone."""

    def __init__(self, database: Database) -> None:
        self._resources: Collection = database["resources"]
        self._buckets: Collection = database["revisions"]

    async def find_version_at(self, resource_id: str, moment: str) -> int | None:
        """Return the newest version that is not younger than the moment, None where none is, or is kept."""
        with translated():
            record = await self._resources.find_one({"_id": resource_id}, {"v": 1, "log.v": 1, "log.at": 1})
            if record is None:
                return None
            return _newest(record["log"], moment) or await self._search(resource_id, record["v"], moment)

    async def _search(self, resource_id: str, newest: int, moment: str) -> int | None:
        found = None
        low, high = 1, newest
        while low <= high:
            middle = (low + high) // 2
            bucket = await self._beginning_up_to(resource_id, middle)
            if bucket is None:
                low = middle + 1
            elif (version := _newest(bucket["entries"], moment)) is None:
                high = bucket["entries"][0]["v"] - 1
            elif version < bucket["last"]:
                return version
            else:
                found, low = version, max(middle, version) + 1
        return found

    async def _beginning_up_to(self, resource_id: str, version: int) -> Record | None:
        """Return the last bucket that begins with the version or one before."""
        bound = {"$gte": revision_id(resource_id, 0), "$lte": revision_id(resource_id, version)}
        return await self._buckets.find_one({"resource": resource_id, "_id": bound}, _TIMES, sort=[("_id", DESCENDING)])


def _newest(entries: list[Record], moment: str) -> int | None:
    return max((entry["v"] for entry in entries if entry["at"] <= moment), default=None)
