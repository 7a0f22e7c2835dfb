"""What the use cases need from outside, as Protocols. Implementations satisfy them by shape and are chosen in `app`."""

from datetime import datetime
from typing import Any, Protocol

import msgspec

from service.core.options import DiffOptions
from service.model import Comparison, Document, Reading, Source


class Clock(Protocol):
    """The time of day. The only source of time for whatever is stored or decided by it."""

    def now(self) -> datetime:
        """Return the present moment in UTC, at a resolution of a microsecond."""
        ...


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


class Outcome(Protocol):
    """What a comparison gives."""

    @property
    def patch(self) -> bytes:
        """The RFC 6902 array as UTF-8."""
        ...

    @property
    def bounded(self) -> bool:
        """Whether a bound was met, so that the patch is right but coarser than it could be."""
        ...


class Comparer(Protocol):
    """Compares two JSON texts without holding up the event loop."""

    async def compare(self, before: bytes, after: bytes, options: DiffOptions) -> Outcome:
        """Return the patch that turns `before` into `after`.

        Raises `MalformedJsonError` or `TooDeepError` with the violation's `input` set to `a` (`before`) or `b`
        (`after`), `ArrayKeyError`, `TooComplexError` after the time limit, `OverloadedError` when the queue is full.
        """
        ...


class ComparisonStore(Protocol):
    """Keeps comparisons on request."""

    async def insert(self, comparison: Comparison) -> None:
        """Keep a new comparison; it is durable when this returns."""
        ...

    async def find(self, comparison_id: str) -> Comparison | None:
        """Return the comparison, or None when there is none of that id."""
        ...


class Probe(Protocol):
    """Tells whether the database can be written to."""

    async def ping(self) -> str:
        """Return the server's version; raise `StoreUnavailableError` when it does not answer as a primary."""
        ...


class Contract(Protocol):
    """The HTTP contract as it is handed out."""

    @property
    def yaml(self) -> bytes:
        """`openapi.yaml` as UTF-8."""
        ...

    @property
    def json(self) -> bytes:
        """The same document as JSON."""
        ...
