"""Obtaining documents, by readers and from the store."""

from datetime import datetime
from typing import Any, Protocol

import msgspec

from service.model import Caller, Document, Reading, Source


class Reader(Protocol):
    """One way of obtaining a document. Third parties add theirs through the entry-point group `patchbay.readers`."""

    @property
    def types(self) -> tuple[str, ...]:
        """The values of `type` in an I/O object that this reader answers to."""
        ...

    @property
    def source(self) -> type[Source]:
        """The Struct that the other members of the I/O object are converted to; unknown members are refused."""
        ...

    async def read(self, source: Any, reading: Reading) -> Document:
        """Obtain the text within `reading.max_bytes` and `reading.timeout_s`.

        What it takes of memory a built-in reader tells `reading.hold`; for a third party's it is told.

        Raises a `SourceError` where the source is forbidden, missing, unreachable or slow, `TooLargeError` where
        it is too large.
        """
        ...


class SourceReader(Protocol):
    """All readers together."""

    def parse(self, text: bytes | msgspec.Raw, where: str) -> Source:
        """Turn an I/O object, known to be strict JSON, into a typed source; `where` names the input in errors."""
        ...

    async def read_json(self, source: Source, reading: Reading) -> bytes:
        """Obtain a source through the reader that it belongs to, as JSON text whatever its format."""
        ...


class StoredDocuments(Protocol):
    """Stored resources as documents to compare."""

    async def read_stored(
        self,
        reference: str,
        resource_type: str | None,
        caller: Caller,
        *,
        version: int | None = None,
        at: datetime | None = None,
    ) -> bytes:
        """Return the content, without the members that the service owns: now, at a version, or at a time.

        `reference` is an id; with the type, an identifier too. Raises `SourceNotFoundError`, also for what is
        deleted, and `ForbiddenError` for a type that the caller has no grant for.
        """
        ...


class UrlPolicy(Protocol):
    """Which URLs may be called at all."""

    def target(self, url: str) -> Any:
        """Take the URL apart; raise `SourceForbiddenError` for one that may never be called."""
