"""The domain's values: callers, inputs, comparisons, resources and their changes. No transport, no database."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from service.errors import ServiceError

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
    """A stored resource in the hands of a change: `content` is decoded for it alone, to be edited in place."""

    id: str
    type: str
    version: int
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


class Answer(msgspec.Struct, frozen=True):
    """An answer as it went out, kept to be given again to a request that comes twice."""

    status: int
    headers: Mapping[str, str]
    body: bytes


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


class Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Something that became of a resource (`resource.*`, with its `version`) or of a patch (`patch.*`).

    `position` is its place in the feed; events of one resource stand in the order in which they happened.
    """

    position: int
    type: str
    resource_id: str
    at: Timestamp
    by: str
    resource_type: str | None = None
    version: int | None = None
    patch_id: str | None = None
    application_id: str | None = None
    target_id: str | None = None
    attempt: int | None = None
    source: str | None = msgspec.field(default=None, name="from")
    to: str | None = None
    why: str | None = None


JobStatus = Literal["QUEUED", "STARTED", "SUCCESS", "FAILED", "CANCELLED"]


class JobFailure(msgspec.Struct, frozen=True, rename="camel"):
    """Why a job failed, in the members of the problem document that the synchronous call would have answered."""

    code: str
    title: str
    detail: str
    errors: msgspec.Raw


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An asynchronous call. `work` is that of `core.work`; its inputs and its result are kept apart from it.

    `stage` counts the stages that are over, of `JOB_STAGES`; `attempt` how often an instance has started it;
    `fingerprint` stands for the work and its inputs.
    """

    id: str
    status: JobStatus
    work: bytes
    fingerprint: str
    inputs: tuple[str, ...]
    created_by: str
    created_at: Timestamp
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    stage: int = 0
    attempt: int = 0
    keep_result: bool = True
    callback: str | None = None
    bounded: bool = False
    result: str | None = None
    failure: JobFailure | None = None


JOB_STAGES = 3
"""Obtaining the inputs, the work itself, keeping the result."""
