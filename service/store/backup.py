"""A copy of the whole database in one file, taken at one moment while it serves, and put back into an empty one.

The file is a gzip stream of BSON documents: a header `{patchbay: 1, at}`, then `{c: collection, d: document}` for each
document, then `{end: True, counts, sha256}`, the digest being that of every byte before. A file without its end, or
whose digest differs, is refused before anything is written.
"""

import contextlib
import gzip
import hashlib
import os
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.errors import OperationFailure

from service.errors import StartError
from service.store.mongo import Client, translated

FORMAT = 1
_MARK = "restoring"
"""Is there while a database holds a part of a backup."""
LEFT_OUT = frozenset({"leases", _MARK})
"""Collections whose content means nothing elsewhere."""
_LARGEST_FRAME = 20 * 1024 * 1024
"""A document of the database has at most 16 MiB."""
_RAW = CodecOptions(document_class=RawBSONDocument)
_BATCH_BYTES = 8 * 1024 * 1024
_LONGEST_RUN_S = 24 * 3600
_HISTORY_S = "minSnapshotHistoryWindowInSeconds"
_SNAPSHOT_TOO_OLD = 239

Progress = Callable[[int, int], None]
"""Called with how many documents are done, and how many there are about."""


async def back_up(client: Client, database: str, file: Path, now: str, progress: Progress) -> int:
    """Write the database as it is at one moment; return the number of documents. The file appears when it is whole."""
    await refuse_part(client, database)
    partial = file.with_name(file.name + ".part")
    try:
        with _create(partial) as raw:
            try:
                with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=5, mtime=0) as stream:
                    count = await _write(client, database, _Sink(stream), now, progress)
                partial.replace(file)
            finally:
                partial.unlink(missing_ok=True)
    except FileExistsError as error:
        raise StartError(
            f"{partial} is there: another backup is being written to it, or broke off. In that case remove it."
        ) from error
    except OSError as error:
        raise StartError(f"The backup cannot be written to {file}: {error.strerror}.") from error
    return count


def _create(file: Path) -> BinaryIO:
    """Make a new file for nobody else to read: secrets of providers go into it, and every document."""
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


async def _write(client: Client, database: str, sink: "_Sink", now: str, progress: Progress) -> int:
    counts: Counter[str] = Counter()
    sink.put({"patchbay": FORMAT, "at": now})
    with translated():
        names = sorted(set(await client[database].list_collection_names()) - LEFT_OUT)
        about = sum([await client[database][name].estimated_document_count() for name in names])
        async with _long_history(client), await client.start_session(snapshot=True) as session:
            for name in names:
                collection = client[database].get_collection(name, codec_options=_RAW)
                async for document in collection.find({}, session=session):
                    sink.put({"c": name, "d": document})
                    counts[name] += 1
                    progress(counts.total(), about)
    sink.put({"end": True, "counts": dict(counts), "sha256": sink.digest()})
    return counts.total()


@contextlib.asynccontextmanager
async def _long_history(client: Client) -> AsyncIterator[None]:
    """Have the server keep the moment for as long as the copy may take, and no longer.

    A deployment may refuse that to an account: its own setting, five minutes by default, then holds. Of two backups at
    a time the end of the first may take the history from the other, which then fails.
    """
    usual: int | None = None
    with contextlib.suppress(OperationFailure):
        reply = await client.admin.command({"getParameter": 1, _HISTORY_S: 1})
        if reply[_HISTORY_S] < _LONGEST_RUN_S:
            await client.admin.command({"setParameter": 1, _HISTORY_S: _LONGEST_RUN_S})
            usual = reply[_HISTORY_S]
    try:
        yield
    except OperationFailure as error:
        if error.code != _SNAPSHOT_TOO_OLD:
            raise
        raise StartError("The database let go of the moment that was being copied. Run the backup again.") from error
    finally:
        if usual is not None:
            await client.admin.command({"setParameter": 1, _HISTORY_S: usual})


class _Sink:
    """Writes documents and digests what it writes."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()

    def put(self, document: dict[str, Any]) -> None:
        encoded = bson.encode(document)
        self._digest.update(encoded)
        self._stream.write(encoded)

    def digest(self) -> str:
        return self._digest.hexdigest()


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
