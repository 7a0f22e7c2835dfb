"""A reader for Patchbay: documents kept as JSON text in the table `documents(name, body)` of an SQLite database.

    {"type": "sqlite", "name": "inventory"}

The operator names the database in SQLITE_READER_DATABASE; a client chooses nothing but the row.
"""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from service.errors import SourceForbiddenError, SourceNotFoundError, TooLargeError
from service.model import Document, Reading, Source

__all__ = ["SqliteReader", "SqliteSource", "make_reader"]


class SqliteSource(Source, frozen=True):
    """The members of the I/O object beside `type`. A request with others, or without these, is refused."""

    name: str


class SqliteReader:
    """Reads one row of the database."""

    types = ("sqlite",)
    source = SqliteSource

    def __init__(self, database: Path | None) -> None:
        self._database = database

    async def read(self, source: SqliteSource, reading: Reading) -> Document:
        """Return the document of a name, which takes a thread: SQLite waits for the disk."""
        if self._database is None:
            raise SourceForbiddenError("No database is set: the operator names one in SQLITE_READER_DATABASE.")
        return await asyncio.to_thread(self._read, self._database, source.name, reading)

    def _read(self, database: Path, name: str, reading: Reading) -> Document:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            # the size is asked for first: a limit that is checked on what has been read already is none
            sizes = "SELECT length(CAST(body AS BLOB)) FROM documents WHERE name = ?"
            size = connection.execute(sizes, (name,)).fetchone()
            if size is None:
                raise SourceNotFoundError(f"There is no document {name[:80]!r} in the database.")
            if size[0] > reading.max_bytes:
                raise TooLargeError(f"The document {name[:80]!r} is larger than {reading.max_bytes} bytes.")
            (body,) = connection.execute("SELECT body FROM documents WHERE name = ?", (name,)).fetchone()
        return Document(body.encode() if isinstance(body, str) else body, format="json")


def make_reader() -> SqliteReader:
    """Make the reader; Patchbay calls this once, when it starts (see the entry point in pyproject.toml)."""
    database = os.environ.get("SQLITE_READER_DATABASE")
    return SqliteReader(Path(database) if database else None)
