"""What became of resources: the log of the resource's record, and behind it the collection `revisions`.

The relay copies entries from the one to the other before it takes them off the log, so that reading the log first and
the collection second misses none; an entry that is seen twice is the same entry.
"""

import msgspec
from pymongo import DESCENDING

from service.core.patch import apply
from service.model import Resource, Revision
from service.store.documents import decode_content
from service.store.mongo import Collection, Database, Record, translated
from service.store.records import revision_id, to_resource, to_revision

_NO_VERSION = 9_999_999_999
"""Above every version: ids have ten digits for it."""


class Revisions:
    """Reads revisions and versions."""

    def __init__(self, database: Database) -> None:
        self._resources: Collection = database["resources"]
        self._drained: Collection = database["revisions"]

    async def find_write(self, resource_id: str, write_id: str) -> Revision | None:
        """Return the revision with the write id."""
        with translated():
            record = await self._resources.find_one({"_id": resource_id, "log.w": write_id}, {"log.$": 1})
            if record is not None:
                return to_revision(record["log"][0])
            entry = await self._drained.find_one({"resource": resource_id, "w": write_id, "given": True})
        return None if entry is None else to_revision(entry)

    async def list_newest(self, resource_id: str, before: int | None, limit: int) -> list[Revision]:
        """Return revisions below `before`, newest first."""
        with translated():
            record = await self._resources.find_one({"_id": resource_id}, {"log": 1})
        return [] if record is None else await self._list(record, before, limit)

    async def _list(self, record: Record, before: int | None, limit: int) -> list[Revision]:
        logged = {entry["v"]: entry for entry in record["log"] if before is None or entry["v"] < before}
        identity = record["_id"]
        last = before - 1 if before is not None else _NO_VERSION
        bound = {"$gte": revision_id(identity, 0), "$lte": revision_id(identity, last)}
        with translated():
            drained = await (
                self._drained.find({"resource": identity, "_id": bound})
                .sort("_id", DESCENDING)
                .limit(limit)
                .to_list(None)
            )
        entries = {entry["v"]: entry for entry in drained} | logged
        return [to_revision(entries[version]) for version in sorted(entries, reverse=True)[:limit]]

    async def find_version(self, resource_id: str, version: int) -> Resource | None:
        """Go back from the present content by the inverse patches."""
        with translated():
            record = await self._resources.find_one({"_id": resource_id})
        if record is None or not 1 <= version <= record["v"]:
            return None
        present = to_resource(record)
        steps = await self._list(record, None, present.version - version + 1)
        content = decode_content(record["content"], record["plain"])
        for step in steps[:-1]:
            content = apply(content, msgspec.json.decode(step.inverse or b"[]"))
        at = steps[-1]
        return msgspec.structs.replace(
            present,
            version=version,
            text=msgspec.json.encode(content),
            updated_at=at.at,
            deleted=at.kind == "delete",
        )
