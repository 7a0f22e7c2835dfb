"""The record of a resource: how it lies in the collection `resources`, and the one statement that takes it further.

    {_id, type, v, content, plain, created, updated, deleted, log: [entry, ...], logBytes, undrained}

`v` is the version, `log` the newest changes that the relay has not taken to `revisions` yet, `undrained` the time of
the first of these or of the last that was cut (absent when there is none: an index of it finds what is left to do).
"""

from typing import Any

import msgspec

from service.core import values
from service.core.values import Json
from service.model import Resource, Revision
from service.store.documents import decode_content, encode_content
from service.store.mongo import Record

_ENTRY_OVERHEAD_BYTES = 256
_LARGE_BYTES = 16 * 1024


class Held(msgspec.Struct):
    """A resource in hand: its last committed version, with `content` decoded and owned by the holder.

    `guesses` counts the commits since it was read; the next one is planned on a guess. `commit_s` is how long the last
    of them took. Version 0: there is none.
    """

    resource: Resource
    content: Json
    log_bytes: int
    guesses: int = 0
    commit_s: float = 0.0

    @property
    def is_fresh(self) -> bool:
        """Whether it was read for the writes at hand, not kept from earlier ones."""
        return self.guesses == 0


class Statement(msgspec.Struct, frozen=True):
    """One conditional update: it takes the resource from version `base` on, or does nothing."""

    resource_id: str
    base: int
    version: int
    write_id: str
    update: Record
    content_bytes: int
    added_bytes: int

    @property
    def size(self) -> int:
        """Roughly what the statement takes on its way."""
        return self.content_bytes + self.added_bytes

    def command(self) -> Record:
        """Return the statement as the server's `update` command takes it. A creation inserts where nothing is."""
        return {"q": {"_id": self.resource_id, "v": self.base}, "u": self.update, "upsert": self.base == 0}


def absent(resource_id: str, resource_type: str) -> Resource:
    """Return what stands for a resource that is not there."""
    return Resource(
        id=resource_id, type=resource_type, version=0, text=b"null", created_at="", updated_at="", deleted=False
    )


def revision_id(resource_id: str, version: int) -> str:
    """Return the `_id` in `revisions` of what begins at a version; ids of one resource sort by version."""
    return f"{resource_id}:{version:010d}"


def to_resource(record: Record) -> Resource:
    """Read a record."""
    return _to_resource(record, values.encode(decode_content(record["content"], record["plain"])))


def to_held(record: Record) -> Held:
    """Read a record that is about to be changed."""
    content = decode_content(record["content"], record["plain"])
    return Held(_to_resource(record, values.encode(content)), content, record["logBytes"])


def _to_resource(record: Record, text: bytes) -> Resource:
    return Resource(
        id=record["_id"],
        type=record["type"],
        version=record["v"],
        text=text,
        created_at=record["created"],
        updated_at=record["updated"],
        deleted=record.get("deleted", False),
    )


def is_large(revision: Revision) -> bool:
    """Tell whether the patches of a revision lie beside the log, so that the log stays small."""
    return len(revision.forward) + len(revision.inverse) > _LARGE_BYTES


def patches_id(resource_id: str, write_id: str) -> str:
    """Return the id of the blob with the patches of a large revision."""
    return f"{resource_id}:{write_id}"


def to_entry(revision: Revision) -> Record:
    """Write a log entry. Patches and events are JSON bytes: exact whatever they hold."""
    entry: Record = {
        "v": revision.version,
        "w": revision.write_id,
        "kind": revision.kind,
        "at": revision.at,
        "by": revision.by,
        "why": revision.why,
    }
    if is_large(revision):
        entry["large"] = True
    else:
        entry |= {"forward": revision.forward, "inverse": revision.inverse}
    if revision.is_given:
        entry["given"] = True
    if revision.events:
        entry["events"] = values.encode(revision.events)
    return entry


def to_revision(entry: Record) -> Revision:
    """Read a log entry, or a document of `revisions`; of a large one all but the patches."""
    return Revision(
        version=entry["v"],
        kind=entry["kind"],
        at=entry["at"],
        by=entry["by"],
        why=entry["why"],
        write_id=entry["w"],
        is_given=entry.get("given", False),
        forward=entry.get("forward", b""),
        inverse=entry.get("inverse", b""),
        events=tuple(msgspec.json.decode(entry["events"])) if "events" in entry else (),
    )


def entry_bytes(entry: Record) -> int:
    """Estimate what a log entry takes, from above."""
    patches = len(entry.get("forward", b"")) + len(entry.get("inverse", b""))
    told = 4 * len(entry["why"] or "") + len(entry["by"]) + len(entry.get("events", b""))
    return _ENTRY_OVERHEAD_BYTES + patches + told


def to_statement(
    base: int, after: Resource, content: Json, revisions: list[Revision], *, begins_log: bool
) -> Statement:
    """Build the update that takes a resource from version `base` to `after` by way of the revisions.

    With `begins_log`, which is for a log that `revisions` has all of, its entries go with the same update.

    Raises `NotStorableError` when the content cannot be stored.
    """
    stored, is_plain = encode_content(content, after.text)
    entries = [to_entry(revision) for revision in revisions]
    added = sum(map(entry_bytes, entries))
    members: dict[str, Any] = {
        "v": after.version,
        "content": stored,
        "plain": is_plain,
        "updated": after.updated_at,
        "deleted": after.deleted,
    }
    if base == 0:
        members |= {"type": after.type, "created": after.created_at}
    update: Record = {
        "$set": members,
        "$push": {"log": {"$each": entries}},
        "$inc": {"logBytes": added},
        "$min": {"undrained": after.updated_at},
    }
    if begins_log:
        update = {"$set": {**members, "log": entries, "logBytes": added, "undrained": after.updated_at}}
    return Statement(after.id, base, after.version, revisions[-1].write_id, update, len(stored.raw), added)
