"""Takes log entries of resources to `revisions`, and then off the log. May be done by many at once, and done twice.

An entry never changes and its `_id` in `revisions` is made of resource and version, so a second copy is refused; it is
durable there before it leaves the log; and a log is cut at its head only by who finds the head it saw.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from service.core.patch import apply
from service.core.values import Json
from service.store.blobs import Blobs
from service.store.documents import decode_content
from service.store.mongo import Collection, Database, Record, translated
from service.store.records import entry_bytes, revision_id
from service.store.revisions import SNAPSHOT_EVERY, Revisions

_MAJORITY = {"w": "majority", "wtimeout": 8000}
_DUPLICATE_KEY = 11000
_BATCH_BYTES = 4 * 1024 * 1024


class Drain:
    """Drains logs of the collection `resources`."""

    def __init__(self, database: Database, revisions: Revisions) -> None:
        self._database = database
        self._resources: Collection = database["resources"]
        self._revisions = revisions
        self._snapshots = Blobs(database, "snapshots")

    async def drain(self, resource_ids: Sequence[str]) -> None:
        """Drain the logs of the resources as they stand now."""
        with translated():
            batch: list[Record] = []
            size = 0
            async for record in self._resources.find(
                {"_id": {"$in": list(resource_ids)}, "log.0": {"$exists": True}},
                {"v": 1, "type": 1, "log": 1, "logBytes": 1},
            ):
                batch.append(record)
                size += record["logBytes"]
                if size > _BATCH_BYTES:
                    await self._move(batch)
                    batch, size = [], 0
            await self._move(batch)

    async def _move(self, records: list[Record]) -> None:
        if not records:
            return
        for record in records:
            if any(entry["v"] % SNAPSHOT_EVERY == 0 for entry in record["log"]):
                await self._keep_snapshots(record["_id"])
        await self._copy([entry for record in records for entry in _to_documents(record)])
        await self._command("update", "resources", "updates", [cut for each in records for cut in _to_cuts(each)])

    async def _copy(self, documents: list[Record]) -> None:
        reply = await self._command("insert", "revisions", "documents", documents, writeConcern=_MAJORITY)
        others = [each for each in reply.get("writeErrors", ()) if each["code"] != _DUPLICATE_KEY]
        if others:
            raise RuntimeError(f"revisions cannot be kept: code {others[0]['code']}")

    async def _command(self, name: str, collection: str, member: str, items: list[Record], **more: Any) -> Record:
        reply: Record = await self._database.command({name: collection, member: items, "ordered": False, **more})
        return reply

    async def _keep_snapshots(self, resource_id: str) -> None:
        """Keep the content at the versions that call for it, going back from the present one by the log."""
        record = await self._resources.find_one({"_id": resource_id})
        content: Json = decode_content(record["content"], record["plain"]) if record else None
        for entry in reversed(record["log"] if record else []):
            if entry["v"] % SNAPSHOT_EVERY == 0:
                await self._snapshots.put(revision_id(resource_id, entry["v"]), msgspec.json.encode(content))
            revision = await self._revisions.complete(resource_id, entry)
            content = apply(content, msgspec.json.decode(revision.inverse or b"[]"))


def _to_documents(record: Record) -> list[Record]:
    """Return the entries as they are kept: for the feed, which takes the mark off, with the type."""
    identity = record["_id"]
    marked = {"resource": identity, "type": record["type"], "unfed": True}
    return [{"_id": revision_id(identity, entry["v"]), **marked, **entry} for entry in record["log"]]


def _to_cuts(record: Record) -> list[Record]:
    """Return two updates of which one at most fits: nothing was written since, or something was."""
    log, version = record["log"], record["v"]
    emptied = {"$set": {"log": [], "logBytes": 0}, "$unset": {"undrained": ""}}
    size = sum(map(entry_bytes, log))
    shortened = {"$pull": {"log": {"v": {"$lte": version}}}, "$inc": {"logBytes": -size}}
    return [
        {"q": {"_id": record["_id"], "v": version}, "u": emptied},
        {"q": {"_id": record["_id"], "v": {"$gt": version}, "log.0.v": log[0]["v"]}, "u": shortened},
    ]
