"""What a request asks of a resource, by which rules of its type, and whether it may have that."""

from collections.abc import Callable

import msgspec

from service.core import identified
from service.core.conditions import Conditions, exists
from service.core.engine import Engine
from service.core.values import Json
from service.errors import (
    DuplicateIdentifierError,
    GoneError,
    NotFoundError,
    PreconditionRequiredError,
    ServiceError,
)
from service.model import Companion, Draft

Content = dict[str, Json]


class Limits(msgspec.Struct, frozen=True):
    """Bounds of what a change may make of a document."""

    max_depth: int
    max_operations: int
    max_copied_bytes: int


class Rules(msgspec.Struct, frozen=True):
    """What the type asks of a change. `check` refuses final content; `accompany` lists what is written with it.

    `computed` are members that are shown with the resource and not stored.
    """

    identified_lists: tuple[str, ...] = identified.DEFAULT_LISTS
    requires_if_match: bool = False
    computed: frozenset[str] = frozenset()
    check: Callable[[Content], None] = lambda _: None
    accompany: Callable[[str, Content | None, Content | None], tuple[Companion, ...]] = lambda *_: ()


class Asked(msgspec.Struct, frozen=True):
    """What a request asks: which resource, under which conditions, by which rules. `engine` finds what changed."""

    id: str
    type: str
    conditions: Conditions
    rules: Rules
    engine: Engine = Engine(None)


def admit(asked: Asked, draft: Draft | None, *, even_deleted: bool = False) -> Draft:
    """Return the draft if the request may change it as it stands."""
    if draft is None or draft.type != asked.type:
        raise NotFoundError(f"There is no {asked.type} with this id.")
    if draft.deleted and not even_deleted:
        raise gone(asked.type)
    if asked.rules.requires_if_match and asked.conditions.if_match is None:
        raise PreconditionRequiredError(
            f"Changes of a {asked.type} need If-Match; version {draft.version} stands, as its ETag says."
        )
    asked.conditions.check(draft.version)
    return draft


def gone(resource_type: str) -> GoneError:
    """Build the refusal of a resource that was deleted."""
    return GoneError(f"This {resource_type} was deleted; POST …/revert brings a version of it back.")


def taken(asked: Asked, draft: Draft) -> ServiceError:
    """Build the refusal to make a resource where there is one."""
    if draft.type != asked.type:
        return DuplicateIdentifierError("The id is taken by a resource of another type.")
    if draft.deleted:
        return GoneError(f"A {draft.type} with this id was deleted; POST …/revert brings a version of it back.")
    return exists(draft.version)
