"""What became of resources: the log of the resource's record, and behind it the collection `revisions`.

The relay copies entries from the one to the other before it takes them off the log, so that reading the log first and
the collection second misses none; an entry that is seen twice is the same entry.
"""

import msgspec
from pymongo import DESCENDING

from service.core.patch import apply
from service.core.values import Json
from service.model import Resource, Revision
from service.ports import ListedRevisions
from service.store.blobs import Blobs
from service.store.documents import decode_content
from service.store.mongo import Collection, Database, Record, translated
from service.store.records import patches_id, revision_id, to_resource, to_revision
from service.store.threads import Beside

_NO_VERSION = 9_999_999_999
"""Above every version: ids have ten digits for it."""


_MAX_PAGE_BYTES = 32 * 1024 * 1024
_BATCH = 16
SNAPSHOT_EVERY = 64
"""The content at every so many versions is kept whole: the way to any version is shorter than this."""


class Revisions:
    """Reads revisions and versions."""

    def __init__(self, database: Database) -> None:
        self._resources: Collection = database["resources"]
        self._buckets: Collection = database["revisions"]
        self._patches = Blobs(database, "large_patches")
        self._snapshots = Blobs(database, "snapshots")
        self._beside = Beside()

    async def find_write(self, resource_id: str, write_id: str) -> Revision | None:
        """Return the revision with the write id that was given."""
        with translated():
            record = await self._resources.find_one({"_id": resource_id, "log.w": write_id}, {"log.$": 1})
            entry = record["log"][0] if record else None
            if entry is None:
                given = {"resource": resource_id, "entries.w": write_id, "given": True}
                bucket = await self._buckets.find_one(given, {"entries.$": 1})
                entry = bucket["entries"][0] if bucket else None
        return None if entry is None else await self.complete(resource_id, entry)

    async def list_newest(self, resource_id: str, before: int | None, limit: int) -> ListedRevisions:
        """Return revisions below `before`, newest first; fewer where their patches are large."""
        with translated():
            record = await self._resources.find_one({"_id": resource_id}, {"log": 1})
        entries = await self.list_entries(record, before or _NO_VERSION, limit + 1) if record else []
        revisions: list[Revision] = []
        size = 0
        for entry in entries[:limit]:
            revision = await self.complete(resource_id, entry)
            size += len(revision.forward) + len(revision.inverse)
            if revisions and size > _MAX_PAGE_BYTES:
                break
            revisions.append(revision)
        return ListedRevisions(revisions, revisions[-1].version if len(revisions) < len(entries) else None)

    async def find_version(self, resource_id: str, version: int) -> Resource | None:
        """Go back by the inverse patches from the present content, or from the next snapshot above the version."""
        with translated():
            record = await self._resources.find_one({"_id": resource_id})
        if record is None or not 1 <= version <= record["v"]:
            return None
        start, content = await self._start(record, version)
        entries = await self.list_entries(record, start + 1, start - version + 1)
        if len(entries) <= start - version:
            return None  # no longer kept
        present = to_resource(record)
        for entry in entries[:-1]:
            content = await self.undo(resource_id, entry, content, len(present.text))
        return msgspec.structs.replace(
            present,
            version=version,
            text=msgspec.json.encode(content),
            updated_at=entries[-1]["at"],
            deleted=entries[-1]["kind"] == "delete",
        )

    async def list_entries(self, record: Record, before: int, limit: int) -> list[Record]:
        """Return entries below `before`, newest first, from the log and from behind it."""
        identity = record["_id"]
        entries = {entry["v"]: entry for entry in record["log"] if entry["v"] < before}
        bound = {"$gte": revision_id(identity, 0), "$lt": revision_id(identity, before)}
        with translated():
            buckets = (
                self._buckets.find({"resource": identity, "_id": bound}).sort("_id", DESCENDING).batch_size(_BATCH)
            )
            async for bucket in buckets:
                entries |= {entry["v"]: entry for entry in bucket["entries"] if entry["v"] < before}
                if len(entries) >= limit:
                    break
        return [entries[version] for version in sorted(entries, reverse=True)[:limit]]

    async def complete(self, resource_id: str, entry: Record) -> Revision:
        """Read an entry, with its patches from beside the log if it is large."""
        revision = to_revision(entry)
        if "large" not in entry:
            return revision
        blob = await self._patches.find(patches_id(resource_id, revision.write_id))
        forward, inverse = msgspec.msgpack.decode(blob or b"", type=tuple[bytes, bytes])
        return msgspec.structs.replace(revision, forward=forward, inverse=inverse)

    async def undo(self, resource_id: str, entry: Record, content: Json, size: int) -> Json:
        """Take the content, which is used up and of about so many bytes, back over an entry."""
        revision = await self.complete(resource_id, entry)
        return await self._beside.call(size + len(revision.inverse), _apply, content, revision.inverse)

    async def keep_patches(self, resource_id: str, revision: Revision) -> None:
        """Keep the patches of a large revision; this comes before the revision is committed."""
        blob = msgspec.msgpack.encode((revision.forward, revision.inverse))
        await self._patches.put(patches_id(resource_id, revision.write_id), blob)

    async def _start(self, record: Record, version: int) -> tuple[int, Json]:
        """Choose from where to go back: the next snapshot, or the present where it is nearer or no snapshot is yet."""
        nearest = -(-version // SNAPSHOT_EVERY) * SNAPSHOT_EVERY
        if nearest < record["v"]:
            text = await self._snapshots.find(revision_id(record["_id"], nearest))
            if text is not None:
                return nearest, msgspec.json.decode(text)
        return record["v"], decode_content(record["content"], record["plain"])


def _apply(content: Json, patch: bytes) -> Json:
    return apply(content, msgspec.json.decode(patch or b"[]"))
