"""Who calls, what they may do, and the keys by which they are known."""

from typing import Literal, TypeAlias

import msgspec

from service.model.moment import Timestamp

LONGEST_NAME = 256
"""Characters of a caller's name, all of them printable."""

Role = Literal["reader", "writer", "provider", "admin"]


def is_name(text: str) -> bool:
    """Whether a caller may have this name: 1 to `LONGEST_NAME` printable characters."""
    return 0 < len(text) <= LONGEST_NAME and text.isprintable()


Types: TypeAlias = frozenset[str] | None
"""Resource types granted one by one; None grants all."""


class Caller(msgspec.Struct, frozen=True):
    """Who sends a request."""

    name: str
    roles: frozenset[Role]
    types: Types = None


ANONYMOUS = Caller("anonymous", frozenset({"reader", "writer", "provider", "admin"}))
"""The caller of every request where authentication is off."""


class ApiKey(msgspec.Struct, frozen=True, rename="camel"):
    """An API key as it is kept: who holds it and what they may do. Of the key itself only a digest is kept."""

    id: str
    digest: str
    name: str
    role: Role
    created_at: Timestamp
    types: tuple[str, ...] = ()
    expires_at: Timestamp | None = None
    revoked_at: Timestamp | None = None
    used_at: Timestamp | None = None
