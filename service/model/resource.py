"""Resources, their versions, and what a write to one is made of."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from service.errors import ServiceError
from service.model.moment import Timestamp

ChangeKind = Literal["create", "replace", "patch", "delete", "revert"]


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """A stored resource at one version. `text` is its content as JSON, without the members that the service owns.

    A deleted resource keeps its last content. Every write makes the version one higher; the first is 1.
    """

    id: str
    type: str
    version: int
    text: bytes
    created_at: Timestamp
    updated_at: Timestamp
    deleted: bool = False


class Draft(msgspec.Struct, kw_only=True):
    """A stored resource in the hands of a change: `content` is decoded from `text` for it alone, to be edited."""

    id: str
    type: str
    version: int
    text: bytes
    content: Any
    created_at: Timestamp
    updated_at: Timestamp
    deleted: bool


class Companion(msgspec.Struct, frozen=True, kw_only=True):
    """A record of another collection that changes in the same transaction as the resource, or neither does.

    `insert` wants no record of that id, `replace` and `remove` want one that has the members `expected`; where the
    wish is not met, `conflict` is raised and nothing is written.
    """

    collection: str
    id: str
    action: Literal["insert", "replace", "remove"]
    conflict: ServiceError
    fields: Mapping[str, Any] = {}
    expected: Mapping[str, Any] = {}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The next version of a resource: its whole content, and how it came of the last one.

    `forward` and `inverse` are RFC 6902 arrays as JSON, for `replace`, `patch` and `revert`; a creation and a deletion
    have none (a deletion keeps the content and sets `deleted`). `events` are JSON objects to publish, kept with the
    version.
    """

    kind: ChangeKind
    content: Any
    forward: bytes = b""
    inverse: bytes = b""
    deleted: bool = False
    events: tuple[Mapping[str, Any], ...] = ()
    companions: tuple[Companion, ...] = ()


class Attribution(msgspec.Struct, frozen=True, kw_only=True):
    """Who changes something, and why. A `write_id` that is given is never written twice to one resource."""

    by: str
    why: str | None = None
    write_id: str | None = None


class Written(msgspec.Struct, frozen=True):
    """What came of a write. `changed` is False when the change saw nothing to do: `resource` is then as it stands."""

    resource: Resource
    changed: bool


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """How a resource came to a version. The members are those of the change and its attribution.

    `is_given` says that the write id was given, so that the write can be found by it.
    """

    version: int
    kind: ChangeKind
    at: Timestamp
    by: str
    why: str | None
    write_id: str
    is_given: bool = False
    forward: bytes
    inverse: bytes
    events: tuple[Mapping[str, Any], ...] = ()
