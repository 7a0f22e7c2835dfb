"""The values of patch records: a patch as it is recorded, its applications to targets, the moves they make."""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from service.core.constraints import Constraint, Verdict
from service.core.lifecycle import State, Status, Verb
from service.errors import Violation
from service.model import Timestamp

PatchId: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=r"^([^.\x00-\x1f\x7f]|\.[^.\x00-\x1f\x7f]|\.\.[^\x00-\x1f\x7f])[^\x00-\x1f\x7f]*$",
        description="unique among the patches of a resource; not `.` or `..`, no control characters",
    ),
]


MoveVerb = Literal["record", Verb]
Payload: TypeAlias = Annotated[dict[str, Any], Meta(extra_json_schema={"$ref": "#/components/schemas/Payload"})]
_Document: TypeAlias = Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/Resource"})]
_JsonPatch: TypeAlias = Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/JsonPatch"})]


class Definition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a patch does and where it fits.

    `payload` is any object. The built-in provider carries out `{"operations": …}` (RFC 6902) and `{"merge": …}`
    (RFC 7396); `{"from_diff": {"a": …, "b": …}}` becomes operations when the patch is recorded.
    """

    patch_id: PatchId
    description: str = ""
    constraints: tuple[Constraint, ...] = ()
    payload: Payload = {}
    metadata: dict[str, Any] = {}


class Patch(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded patch. `fingerprint` is the digest of what was sent, by which a repetition is known."""

    resource_id: str
    definition: Definition
    constraints: tuple[Constraint, ...]
    fingerprint: str
    created_by: str
    created_at: Timestamp

    @property
    def patch_id(self) -> str:
        """The id, unique for the resource."""
        return self.definition.patch_id

    @property
    def all_constraints(self) -> tuple[Constraint, ...]:
        """What must hold on a target: both lists."""
        return self.definition.constraints + self.constraints


class Standing(msgspec.Struct, frozen=True):
    """Where a patch stands: the status and error of its latest application."""

    status: Status = "pending"
    error: str | None = None


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """One patch on one target. A retry is the same application, one attempt further.

    `base_version` is the target's version that the attempt met, `result_version` the one it made (the same where the
    patch changed nothing).
    While it is dispatched, the provider's confirmation is awaited until `deadline_at`. `moves` counts the moves made so
    far: every write wants the number that it has read.
    """

    id: str
    resource_id: str
    patch_id: str
    target_id: str
    target_type: str
    attempt: int
    status: Status
    base_version: int | None = None
    result_version: int | None = None
    provider: str = "builtin"
    error: str | None = None
    errors: tuple[Violation, ...] = ()
    created_by: str
    started_at: Timestamp
    finished_at: Timestamp | None = None
    deadline_at: Timestamp | None = None
    reverted_by: str | None = None
    moves: int = 0

    @property
    def state(self) -> State:
        """The state in the lifecycle, which tells `reverted` from `applied`."""
        return "reverted" if self.reverted_by is not None else self.status


class Move(msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from"}):
    """A move of a patch's or an application's lifecycle: an event. The first is the recording of the patch.

    `resource_type` is the type of the target, and of the resource while there is none.
    """

    id: str
    resource_id: str
    resource_type: str
    patch_id: str
    application_id: str | None = None
    target_id: str | None = None
    attempt: int | None = None
    verb: MoveVerb
    source: State | None
    to: State
    at: Timestamp
    by: str
    why: str | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """An application before and after a move (or several), to be written in one piece; `before` is None at first.

    `write_id` is that of the request which asked for it, where it has one.
    """

    before: Application | None
    after: Application
    moves: tuple[Move, ...]
    write_id: str | None = None


class Edit(msgspec.Struct, frozen=True):
    """What a provider that works at once wants done to a target: a patch in one of the two standard dialects."""

    dialect: Literal["json-patch", "merge-patch"]
    body: Any


class Batch(msgspec.Struct, frozen=True):
    """Patches found, and whether there are more after them."""

    patches: list[Patch]
    more: bool


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A resource that satisfies every constraint of a patch."""

    resource_id: str
    type: str
    version: int
    updated_at: Timestamp


class Page(msgspec.Struct, frozen=True):
    """Resources found, and after which resource to go on; None when there are no more."""

    candidates: list[Candidate]
    after: str | None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a patch would do to a target, and whether it fits it.

    `document` and `diff` are null where the patch cannot be carried out; `error` and `errors` then say why.
    """

    target_id: str
    version: int
    compatible: bool
    verdicts: tuple[Verdict, ...]
    document: _Document | None = None
    diff: _JsonPatch | None = None
    error: str | None = None
    errors: tuple[Violation, ...] = ()
