"""A backup verified and put back into an empty database: all of it, or what is there is marked as a part."""

import gzip
import hashlib
import os
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import bson
from bson.raw_bson import RawBSONDocument

from service.errors import StartError
from service.store.feed import leave_gap
from service.store.mongo import Client, translated

FORMAT = 1
"""Of the file, which `backup` describes."""
_MARK = "restoring"
"""Is there while a database holds a part of a backup."""
LEFT_OUT = frozenset({"leases", _MARK})
"""Collections whose content means nothing elsewhere."""
_LARGEST_FRAME = 20 * 1024 * 1024
"""A document of the database has at most 16 MiB."""
_BATCH_BYTES = 8 * 1024 * 1024

Progress = Callable[[int, int], None]
"""Called with how many documents are done, and how many there are about."""


async def restore(client: Client, database: str, file: Path, progress: Progress) -> int:
    """Put a verified backup into an empty database; return the number of documents."""
    total = verify(file)
    with translated():
        if set(await client[database].list_collection_names()) - LEFT_OUT:
            raise StartError(
                f"The database {database!r} is not empty. Restore into another PATCHBAY_MONGODB_DATABASE or "
                "PATCHBAY_DATA_DIR, while no service runs on it."
            )
        await client[database][_MARK].insert_one({"_id": _MARK})
        done = 0
        for collection, documents in _batches(file):
            await client[database][collection].insert_many(documents, ordered=False)
            done += len(documents)
            progress(done, total)
        await leave_gap(client[database], time.time_ns() // 1000)  # events come more slowly than microseconds
        await client[database].drop_collection(_MARK)
    return done


async def refuse_part(client: Client, database: str) -> None:
    """Raise `StartError` for a database that holds a part of a backup: nobody may take it for the whole."""
    with translated():
        if await client[database][_MARK].find_one() is not None:
            raise StartError(
                f"A restore into the database {database!r} broke off, or still runs: what is there is a part of the "
                "backup. Restore into another PATCHBAY_MONGODB_DATABASE or PATCHBAY_DATA_DIR, or wait for its end."
            )


def verify(file: Path) -> int:
    """Read a backup to its end; return the number of documents. Raises `StartError` unless it is whole and unharmed."""
    if os.path.exists(file) and not os.path.isfile(file):  # noqa: PTH110, PTH113 - they raise nothing
        raise StartError(f"The backup {file} cannot be read: that is no file. It is read twice, so a pipe does not do.")
    try:
        count = _count_whole(file)
    except (bson.errors.BSONError, LookupError, TypeError, ValueError):  # whatever a document may be damaged to
        count = None
    if count is None:
        raise StartError(f"The backup {file} is cut off or damaged. Take another one.")
    return count


def _count_whole(file: Path) -> int | None:
    """Return the number of documents, None where they are not those that were written."""
    digest, counts = hashlib.sha256(), Counter[str]()
    last: RawBSONDocument | None = None
    for document in _documents(file):
        if last is not None:
            digest.update(last.raw)
            if "c" in last:
                counts[last["c"]] += 1
        last = document
    if last is None or "end" not in last or last["sha256"] != digest.hexdigest() or dict(last["counts"]) != counts:
        return None
    return counts.total()


def _batches(file: Path) -> Iterator[tuple[str, list[RawBSONDocument]]]:
    batch: list[RawBSONDocument] = []
    name, size = "", 0
    for document in _documents(file):
        if "c" not in document:
            continue
        if batch and (document["c"] != name or size > _BATCH_BYTES):
            yield name, batch
            batch, size = [], 0
        name = document["c"]
        batch.append(document["d"])
        size += len(document["d"].raw)
    if batch:
        yield name, batch


def _documents(file: Path) -> Iterator[RawBSONDocument]:
    try:
        with file.open("rb") as raw, gzip.GzipFile(fileobj=raw) as stream:
            header = next(_frames(stream), None)
            if header is None or header.get("patchbay") != FORMAT:
                raise StartError(f"{file} is not a backup of Patchbay that this version reads.")
            yield header
            yield from _frames(stream)
    except (EOFError, zlib.error, gzip.BadGzipFile, bson.errors.BSONError) as error:
        raise StartError(f"The backup {file} is cut off or damaged. Take another one.") from error
    except OSError as error:
        raise StartError(f"The backup {file} cannot be read: {error.strerror}.") from error


def _frames(stream: BinaryIO | gzip.GzipFile) -> Iterator[RawBSONDocument]:
    while head := stream.read(4):
        size = int.from_bytes(head, "little")
        if not len(head) < size <= _LARGEST_FRAME:
            raise bson.errors.InvalidBSON("no document has this size")
        yield RawBSONDocument(head + stream.read(size - 4))
