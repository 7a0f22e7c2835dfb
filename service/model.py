"""The domain's values: callers, inputs, recorded comparisons. Frozen Structs that know no transport and no database."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Direction = Literal["aToB", "bToA"]
Format = Literal["json", "yaml", "ndjson"]
Role = Literal["reader", "writer", "provider", "admin"]


Timestamp = Annotated[str, Meta(extra_json_schema={"format": "date-time"}, examples=["2026-01-02T03:04:05.000000Z"])]
"""A moment as `core.timestamp` writes it. BSON dates end at milliseconds; this text is stored and sorts as it is."""


class Caller(msgspec.Struct, frozen=True):
    """Who sends a request. `types` are the resource types granted one by one; None grants all."""

    name: str
    roles: frozenset[Role]
    types: frozenset[str] | None = None


ANONYMOUS = Caller("anonymous", frozenset({"reader", "writer", "provider", "admin"}))
"""The caller of every request where authentication is off."""


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Where an input is: the members of an I/O object beside `type`. One subclass for each kind of reader."""


class Document(msgspec.Struct, frozen=True):
    """A text as a reader obtained it. `format` is what the caller says it is, None where it does not say.

    `name` is what the source calls itself (a file's name); where nothing else tells the format, its suffix does.
    """

    content: bytes
    media_type: str | None = None
    charset: str | None = None
    format: Format | None = None
    name: str | None = None


class Upload(msgspec.Struct, frozen=True):
    """A form part that has arrived: in memory, or spooled to a file that lives as long as the request."""

    content: bytes | Path
    size: int
    media_type: str | None = None
    charset: str | None = None
    file_name: str | None = None


class Reading(msgspec.Struct, frozen=True):
    """Under which bounds, and for whom, a reader reads. `max_bytes` holds after decompression."""

    max_bytes: int
    timeout_s: float
    caller: Caller = ANONYMOUS
    uploads: Mapping[str, Upload] = {}


class Fingerprint(msgspec.Struct, frozen=True, rename="camel"):
    """What is kept of an input: the SHA-256 of its JSON text in hexadecimal, and its size in bytes."""

    sha256: str
    size_bytes: int


class Comparison(msgspec.Struct, frozen=True, rename="camel"):
    """A recorded comparison. `options` and `patch` are JSON as sent and as answered."""

    id: str
    a: Fingerprint
    b: Fingerprint
    patch_direction: Direction
    options: msgspec.Raw
    patch: msgspec.Raw
    exact: bool
    created_by: str
    created_at: Timestamp
