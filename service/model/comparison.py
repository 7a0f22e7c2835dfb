"""Comparisons that are kept."""

from typing import Literal

import msgspec

from service.model.moment import Timestamp

Direction = Literal["aToB", "bToA"]


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
