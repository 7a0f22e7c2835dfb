"""Takes log entries of resources to `revisions`, and then off the log. May be done by many at once, and done twice.

What is taken at once becomes one document there, `{_id, resource, type, at, last, entries}`, whose `_id` is made of
the resource and its first version, so that there is one that begins so; it is durable before its entries leave the
log; and a log is cut at its head only, by who finds the head it saw, no further than that document goes.
A write that finds the log at the version up to which it was copied may begin it anew instead (`Relay.has_all`).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from service.core.values import Json
from service.store.blobs import Blobs
from service.store.documents import decode_content
from service.store.mongo import Collection, Database, Record, translated
from service.store.records import entry_bytes, revision_id
from service.store.revisions import SNAPSHOT_EVERY, Revisions

_MAJORITY = {"w": "majority", "wtimeout": 8000}
_DUPLICATE_KEY = 11000
_BATCH_BYTES = 4 * 1024 * 1024


class Copied(NamedTuple):
    """What `revisions` is known to have of a log, durably: the entries from `first` to `last`, which take `size`.

    `at` is the time of the last. Not `is_all` where others had kept only these when the log had more already: the rest
    begins the next document, once these are cut.
    """

    resource_id: str
    first: int
    last: int
    size: int
    at: str
    is_all: bool


class Drain:
    """Drains logs of the collection `resources`."""

    def __init__(self, database: Database, revisions: Revisions) -> None:
        self._database = database
        self._resources: Collection = database["resources"]
        self._buckets: Collection = database["revisions"]
        self._revisions = revisions
        self._snapshots = Blobs(database, "snapshots")

    async def drain(self, resource_ids: Sequence[str]) -> None:
        """Bring to `revisions` what the logs of the resources hold now; what is written meanwhile may stay in them."""
        while resource_ids:
            copied = await self.copy(resource_ids)
            await self.cut(copied)
            resource_ids = [each.resource_id for each in copied if not each.is_all]

    async def copy(self, resource_ids: Sequence[str]) -> list[Copied]:
        """Take the entries of the logs to `revisions`; return what can be cut."""
        copied: list[Copied] = []
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
                    copied += await self._keep(batch)
                    batch, size = [], 0
            return copied + await self._keep(batch)

    async def cut(self, copied: Sequence[Copied]) -> None:
        """Cut logs behind what was copied; one that somebody cut since, or began anew, is left as it is."""
        with translated():
            reply = await self._command("update", "resources", "updates", [_emptying(each) for each in copied])
            if copied and reply["n"] < len(copied):  # some have been written since: cut what is kept, leave what is new
                await self._command("update", "resources", "updates", [_shortening(each) for each in copied])

    async def _keep(self, records: list[Record]) -> list[Copied]:
        for record in records:
            if any(entry["v"] % SNAPSHOT_EVERY == 0 for entry in record["log"]):
                await self._keep_snapshots(record["_id"])
        kept = await self._copy([_to_bucket(record) for record in records])
        seen = [record for record in records if kept.get(record["_id"], record["v"] + 1) <= record["v"]]
        return [_to_copied(record, kept[record["_id"]]) for record in seen]

    async def _copy(self, buckets: list[Record]) -> dict[str, int]:
        """Keep the buckets; return the last version that is kept of each resource, by us or by who came first."""
        reply = await self._command("insert", "revisions", "documents", buckets, writeConcern=_MAJORITY)
        errors = reply.get("writeErrors", ())
        if any(each["code"] != _DUPLICATE_KEY for each in errors):
            raise RuntimeError(f"revisions cannot be kept: {sorted({each['code'] for each in errors})}")
        refused = {each["index"] for each in errors}
        last = {bucket["resource"]: bucket["last"] for at, bucket in enumerate(buckets) if at not in refused}
        if refused:
            known = {"_id": {"$in": [buckets[at]["_id"] for at in refused]}}
            known["resource"] = {"$in": [buckets[at]["resource"] for at in refused]}
            last |= {each["resource"]: each["last"] async for each in self._buckets.find(known, {"entries": 0})}
        return last

    async def _command(self, name: str, collection: str, member: str, items: list[Record], **more: Any) -> Record:
        if not items:
            return {}
        reply: Record = await self._database.command({name: collection, member: items, "ordered": False, **more})
        return reply

    async def _keep_snapshots(self, resource_id: str) -> None:
        """Keep the content at the versions that call for it, going back from the present one by the log."""
        record = await self._resources.find_one({"_id": resource_id})
        if record is None:
            return
        content: Json = decode_content(record["content"], record["plain"])
        size = len(msgspec.json.encode(content))
        for entry in reversed(record["log"]):
            if entry["v"] % SNAPSHOT_EVERY == 0:
                await self._snapshots.put(revision_id(resource_id, entry["v"]), msgspec.json.encode(content))
            content = await self._revisions.undo(resource_id, entry, content, size)


def _to_bucket(record: Record) -> Record:
    """Return the entries as they are kept; `unfed` is for the feed, which takes it off."""
    identity, log = record["_id"], record["log"]
    bucket = {"_id": revision_id(identity, log[0]["v"]), "resource": identity, "type": record["type"]}
    bucket |= {"at": log[0]["at"], "last": record["v"], "entries": log, "unfed": True}
    return {**bucket, "given": True} if any("given" in entry for entry in log) else bucket


def _to_copied(record: Record, last: int) -> Copied:
    kept = [entry for entry in record["log"] if entry["v"] <= last]
    size = sum(map(entry_bytes, kept))
    return Copied(record["_id"], kept[0]["v"], last, size, kept[-1]["at"], is_all=last == record["v"])


def _emptying(copied: Copied) -> Record:
    """Return the update that empties the log if nothing came after what was copied."""
    emptied = {"$set": {"log": [], "logBytes": 0}, "$unset": {"undrained": ""}}
    return {"q": {"_id": copied.resource_id, "v": copied.last}, "u": emptied}


def _shortening(copied: Copied) -> Record:
    """Return the update that cuts the log behind what was copied if something came after it."""
    shortened = {
        "$pull": {"log": {"v": {"$lte": copied.last}}},
        "$inc": {"logBytes": -copied.size},
        "$set": {"undrained": copied.at},  # what is left is no older
    }
    grown = {"_id": copied.resource_id, "v": {"$gt": copied.last}, "log.0.v": copied.first}
    return {"q": grown, "u": shortened}
