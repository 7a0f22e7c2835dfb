"""Comparisons that are kept."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

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
    options: Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/Instructions"})]
    patch: Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/JsonPatch"})]
    exact: bool
    created_by: str
    created_at: Timestamp
