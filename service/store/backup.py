"""A copy of the whole database in one file, taken at one moment while it serves; `restoring` puts it back.

The file is a gzip stream of BSON documents: a header `{patchbay: 1, at}`, then `{c: collection, d: document}` for each
document, then `{end: True, counts, sha256}`, the digest being that of every byte before. A file without its end, or
whose digest differs, is refused before anything is written.
"""

import contextlib
import gzip
import hashlib
import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.errors import OperationFailure

from service.errors import StartError
from service.store.mongo import Client, translated
from service.store.restoring import FORMAT, LEFT_OUT, Progress, refuse_part

_RAW = CodecOptions(document_class=RawBSONDocument)
_LONGEST_RUN_S = 24 * 3600
_HISTORY_S = "minSnapshotHistoryWindowInSeconds"
_SNAPSHOT_TOO_OLD = 239


async def back_up(client: Client, database: str, file: Path, now: str, progress: Progress) -> int:
    """Write the database as it is at one moment; return the number of documents. The file appears when it is whole."""
    _check_target(file)
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


def _check_target(file: Path) -> None:
    """Refuse what is no file: a backup takes the place of what has its name, which may be a device."""
    if not file.name or (os.path.lexists(file) and not os.path.isfile(file)):  # noqa: PTH113 - raises nothing
        raise StartError(f"The backup cannot be written to {file}: that is no file. Give the name of one.")


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
