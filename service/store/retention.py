"""Old versions forgotten: whole buckets of `revisions` from the oldest on, with the snapshots and patches beside them.

The newest bucket of a resource always stays, and one that the feed has not taken yet does too. Readers find a shorter
history, never a broken one: a version can be read while all buckets from it to the next snapshot are there.
"""

from itertools import pairwise
from typing import NamedTuple

from service.store.mongo import Collection, Database, Record, translated
from service.store.records import patches_id, revision_id

INDEX = [("resource", 1), ("last", 1), ("at", 1)]


class Bucket(NamedTuple):
    """A bucket as the index has it: its last version, and when its first came about."""

    last: int
    at: str


def forgettable(buckets: list[Bucket], versions: int, since: str) -> int:
    """Return the version up to which buckets can go, 0 where none can; they come oldest first.

    >>> forgettable([Bucket(3, "a"), Bucket(6, "b"), Bucket(9, "c")], 4, "")
    3
    """
    upto = 0
    for bucket, following in pairwise(buckets):
        is_among_newest = versions and bucket.last > buckets[-1].last - versions
        is_young = since and following.at > since
        if is_among_newest or is_young:
            break
        upto = bucket.last
    return upto


class MongoRetention:
    """Forgets versions of resources, one resource after the other, by an index that has all it needs."""

    def __init__(self, database: Database) -> None:
        self._buckets: Collection = database["revisions"]
        self._snapshots: Collection = database["snapshots"]
        self._patches: Collection = database["large_patches"]

    async def trim(self, versions: int, since: str) -> int:
        """Forget what need not be kept; return how many resources lost versions. See the port."""
        trimmed = 0
        if not versions and not since:
            return 0
        with translated():
            found = self._buckets.find({}, {"_id": 0, "resource": 1, "last": 1, "at": 1}).sort(INDEX)
            resource, buckets = "", list[Bucket]()
            async for record in found:
                if record["resource"] != resource:
                    trimmed += await self._trim(resource, forgettable(buckets, versions, since))
                    resource, buckets = record["resource"], []
                buckets.append(Bucket(record["last"], record["at"]))
            return trimmed + await self._trim(resource, forgettable(buckets, versions, since))

    async def _trim(self, resource_id: str, upto: int) -> int:
        if not upto:
            return 0
        old: Record = {"resource": resource_id, "last": {"$lte": upto}, "unfed": {"$ne": True}}
        large = [
            entry["w"]
            async for bucket in self._buckets.find({**old, "entries.large": {"$exists": True}}, {"entries": 1})
            for entry in bucket["entries"]
            if "large" in entry
        ]
        await self._buckets.delete_many(old)
        bound = {"$gte": revision_id(resource_id, 0), "$lt": revision_id(resource_id, upto + 1)}
        await self._snapshots.delete_many({"_id": bound})
        for write_id in large:
            blob = patches_id(resource_id, write_id)
            await self._patches.delete_many({"_id": {"$gte": f"{blob}:", "$lt": f"{blob};"}})
        return 1
