"""A resource's history gone through from the present version back to the oldest that is kept, checking every step."""

from collections.abc import Sequence

import msgspec

from service.core import values
from service.core.patch import apply
from service.core.values import Json
from service.errors import ServiceError, StoreUnavailableError
from service.store.blobs import Blobs
from service.store.documents import decode_content
from service.store.findings import Finding
from service.store.mongo import Collection, Database, Record, translated
from service.store.records import revision_id
from service.store.revisions import SNAPSHOT_EVERY, Revisions

_DAMAGED = (ServiceError, msgspec.MsgspecError, LookupError, TypeError, ValueError)
"""What a patch, a blob or an entry raises that is not what was written."""
_ADVICE = (
    "The present version stands. Restore a backup elsewhere to see the versions lost here; `PUT` or `revert` there "
    "what is to come back."
)


class Histories:
    """Looks at histories. Of a resource it holds a content and a stretch of entries at a time."""

    def __init__(self, database: Database) -> None:
        self._resources: Collection = database["resources"]
        self._revisions = Revisions(database)
        self._snapshots = Blobs(database, "snapshots")

    async def look_at(self, resource_ids: Sequence[str]) -> list[Finding]:
        """Find versions that are missing, patches that do not lead from one to the next, snapshots that differ."""
        found = []
        for resource_id in resource_ids:
            with translated():
                record = await self._resources.find_one({"_id": resource_id})
            if record is not None:
                found += [Finding(resource_id, what, _ADVICE) for what in await self._look_at(record)]
        return found

    async def _look_at(self, record: Record) -> list[str]:
        try:
            return await self._go_back(record)
        except StoreUnavailableError:
            raise
        except _DAMAGED:
            return ["its record, or an entry of its history, cannot be read"]

    async def _go_back(self, record: Record) -> list[str]:
        """Go back step by step; from where it does not go on, from the next snapshot below."""
        content: Json = decode_content(record["content"], record["plain"])
        version, findings = record["v"], list[str]()
        while version:
            entries = await self._revisions.list_entries(record, version + 1, SNAPSHOT_EVERY)
            if not entries and version == record["v"]:
                findings.append(f"version {version}, the present one, has no entry in the history")
            if not entries:
                break  # what is older was forgotten
            for entry in entries:
                fault = None if entry["v"] == version else f"version {version} is missing"
                if fault is None:
                    content, fault = await self._step(record["_id"], entry, content)
                if fault is not None:
                    findings.append(fault)
                    version, content = await self._snapshot_below(record["_id"], version)
                    break
                version -= 1
        return findings

    async def _step(self, resource_id: str, entry: Record, content: Json) -> tuple[Json, str | None]:
        """Go back by an entry's inverse patch and forward again; return the content before, and what is wrong."""
        version = entry["v"]
        try:
            if version % SNAPSHOT_EVERY == 0:
                text = await self._snapshots.find(revision_id(resource_id, version))
                if text is not None and not values.equal(msgspec.json.decode(text), content):
                    return content, f"the snapshot at version {version} is not the content that the patches lead to"
            revision = await self._revisions.complete(resource_id, entry)
            before = apply(values.copy(content), msgspec.json.decode(revision.inverse or b"[]"))
            after = apply(values.copy(before), msgspec.json.decode(revision.forward or b"[]"))
        except StoreUnavailableError:
            raise
        except _DAMAGED:
            return content, f"the patches of version {version} cannot be read or do not apply"
        if not values.equal(after, content):
            return content, f"the patches of version {version} do not lead back from it and to it again"
        return before, None

    async def _snapshot_below(self, resource_id: str, version: int) -> tuple[int, Json]:
        """Return a version below with its content, 0 where no snapshot is."""
        for lower in range((version - 1) // SNAPSHOT_EVERY * SNAPSHOT_EVERY, 0, -SNAPSHOT_EVERY):
            text = await self._snapshots.find(revision_id(resource_id, lower))
            if text is not None:
                return lower, msgspec.json.decode(text)
        return 0, None
