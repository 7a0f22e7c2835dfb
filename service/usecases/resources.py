"""Resources: created, read, replaced, patched, deleted; the straight way from a request to the store and back."""

import contextlib
import re
from collections.abc import Callable
from functools import partial
from typing import Literal

import msgspec

from service.core.conditions import Conditions, Tags, exists
from service.core.dialect import check_plain
from service.core.patch import check_patch
from service.core.values import Json
from service.errors import (
    ForbiddenError,
    GoneError,
    InvalidRequestError,
    NotFoundError,
    ReferencedError,
    VersionConflictError,
)
from service.model import Caller, Resource
from service.ports import Changing
from service.tasks import together
from service.usecases import drafting
from service.usecases.asked import Asked, Content, Limits, gone
from service.usecases.catalog import Contained, KnownType
from service.usecases.containing import MovedOnError, taking
from service.usecases.identifying import identify
from service.usecases.permission import check_found
from service.usecases.presenting import Shown, present, strip_contained
from service.usecases.rebasing import rebasing
from service.usecases.shelf import Shelf
from service.usecases.writing import Mode, Target, find_standing, write

Dialect = Literal["plain", "json-patch", "merge-patch"]
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~@+-]{0,199}")
_CASCADED_AT_ONCE = 200
_MOST_JUDGED = 10_000
_MOST_ATTEMPTS = 40
_ANY = Conditions(if_match=Tags(any=True))


async def find(target: Target, shelf: Shelf) -> Shown:
    """Return a resource; raise `NotFoundError`, `GoneError`, `AmbiguousIdentifierError`."""
    known = await shelf.catalog.find(target.type)
    return await present(known.seen_by(target.grants), await find_standing(target, shelf), shelf)


async def find_by_id(resource_id: str, caller: Caller, shelf: Shelf) -> Shown:
    """Return a resource of any type that the caller has a grant for."""
    resource = await _find_any(resource_id, caller, shelf)
    if resource.deleted:
        raise gone(resource.type)
    known = await shelf.catalog.find(resource.type)
    return await present(known.seen_by(caller.types), resource, shelf)


async def locate(resource_id: str, caller: Caller, shelf: Shelf) -> Target:
    """Say what type a resource is of, deleted or not, if the caller has a grant for it."""
    return Target((await _find_any(resource_id, caller, shelf)).type, resource_id, caller.types)


async def _find_any(resource_id: str, caller: Caller, shelf: Shelf) -> Resource:
    resource = await shelf.resources.find(resource_id)
    if resource is None:
        raise NotFoundError(
            "There is no resource with this id; an identifier is looked up within its type, at /v1/{type}."
        )
    check_found(caller, resource.type)
    return resource


async def create(target: Target, content: Content, mode: Mode, shelf: Shelf) -> Shown:
    """Make a resource under an id that is free."""
    known = await shelf.catalog.find(target.type)
    if not _ID.fullmatch(target.reference):
        raise InvalidRequestError(
            "An id has at most 200 letters, digits and . _ : ~ @ + -, and starts with a letter or digit.", field="id"
        )
    if mode.conditions.wants_none:
        await _check_unnamed(target, shelf)
    return await write(target, known, lambda asked: drafting.creating(asked, content), mode, shelf)


async def _check_unnamed(target: Target, shelf: Shelf) -> None:
    """Refuse an id that is an identifier of a resource: that one would be found by it no more."""
    try:
        named = await shelf.resources.find(await identify(target.type, target.reference, shelf.identifiers))
    except NotFoundError:
        return
    if named is not None and not named.deleted:
        raise exists(named.version)


async def replace(target: Target, content: Content, mode: Mode, shelf: Shelf) -> Shown:
    """Replace the content of a resource."""
    known = await shelf.catalog.find(target.type)
    if known.contained:
        standing = await find_standing(target, shelf)
        content = await strip_contained(known.seen_by(target.grants), standing.id, content, shelf)
    try:
        return await _change(target, known, lambda asked: drafting.replacing(asked, content), mode, shelf)
    except NotFoundError as error:
        raise NotFoundError(f"{error.detail} PUT with If-None-Match: * makes one under an id.") from error


async def patch(target: Target, body: Json, dialect: Dialect, limits: Limits, mode: Mode, shelf: Shelf) -> Shown:
    """Apply a patch in one of the three dialects: all of it, or nothing."""
    known = await shelf.catalog.find(target.type)
    if dialect == "merge-patch":
        return await _change(target, known, lambda asked: drafting.merging(asked, body), mode, shelf)
    plain = dialect == "plain"
    check = check_plain if plain else check_patch
    operations = check(body, max_operations=limits.max_operations)
    return await _change(
        target, known, lambda asked: drafting.patching(asked, operations, limits, plain=plain), mode, shelf
    )


async def _change(
    target: Target, known: KnownType, making: Callable[[Asked], Changing], mode: Mode, shelf: Shelf
) -> Shown:
    """Carry a change out; where it was made for an earlier version, merge it if that is wished for."""
    try:
        return await write(target, known, making, mode, shelf)
    except VersionConflictError:
        base = await _find_base(target, mode, shelf)
        if base is None:
            raise
    conditions = Conditions(if_match=_ANY.if_match, if_none_match=mode.conditions.if_none_match)
    later = msgspec.structs.replace(mode, conditions=conditions, merges=False)
    found = msgspec.structs.replace(target, reference=base.id)
    shown = await write(found, known, lambda asked: rebasing(asked, base, making), later, shelf)
    return msgspec.structs.replace(shown, merged=True)


async def _find_base(target: Target, mode: Mode, shelf: Shelf) -> Resource | None:
    """Return the version that the change was made for; None where none is named, or merging is not wished for."""
    wanted = mode.conditions.if_match
    if not mode.merges or wanted is None or len(wanted.versions) != 1:
        return None
    resource = await find_standing(target, shelf)
    base = await shelf.resources.find_version(resource.id, *wanted.versions)
    return None if base is None or base.deleted else base


async def delete(target: Target, mode: Mode, shelf: Shelf, *, cascade: bool) -> Shown:
    """Delete a resource; those it contains keep it from that unless they are to go too.

    A cascade deletes what is contained first: where it is interrupted, the parent is still there.
    """
    known = await shelf.catalog.find(target.type)
    if not known.contained:
        return await write(target, known, drafting.deleting, mode, shelf)
    standing = msgspec.structs.replace(target, reference=(await find_standing(target, shelf)).id)
    await write(standing, known, drafting.deleting, msgspec.structs.replace(mode, dry_run=True), shelf)
    if cascade and target.grants is not None:
        await _check_grants(known, [standing.reference], target.grants, shelf)
    async with shelf.families.of(standing.reference):
        for _ in range(_MOST_ATTEMPTS):
            turn = taking(standing.reference, await shelf.contained.read_turn(standing.reference))
            await _empty(known, standing, mode, shelf, cascade=cascade)
            with contextlib.suppress(MovedOnError):  # something entered it: look again
                return await write(standing, known, partial(drafting.deleting, more=(turn,)), mode, shelf)
    raise MovedOnError("Other writers keep adding to what it contains. Try again shortly.")


async def _empty(known: KnownType, target: Target, mode: Mode, shelf: Shelf, *, cascade: bool) -> None:
    """Delete what the resource contains, depth first; raise `ReferencedError` unless that is asked for.

    Many at once of those that contain nothing themselves: their writes share commits.
    What others change meanwhile is looked at again: it may have gone by itself, or to another parent.
    """
    for each in known.contained:
        while found := await _contained_in(target, each, shelf):
            if not cascade:
                raise _referenced(known, each, target.grants)
            _check_grant(each, target.grants)
            if mode.dry_run:
                break
            below = await shelf.catalog.find(each.type)
            for children in [[child] for child in found] if below.contained else [found]:
                await together(_delete_contained(child, target.grants, mode, shelf) for child in children)


async def _delete_contained(child: Resource, grants: frozenset[str] | None, mode: Mode, shelf: Shelf) -> None:
    """Delete it as it was found; what others did to it meanwhile is for the next look."""
    as_found = Conditions(if_match=Tags(versions=frozenset((child.version,))))
    inner = Mode(attribution=mode.attribution, conditions=as_found)
    with contextlib.suppress(GoneError, VersionConflictError):
        await delete(Target(child.type, child.id, grants), inner, shelf, cascade=True)


async def _check_grants(known: KnownType, parent_ids: list[str], grants: frozenset[str], shelf: Shelf) -> None:
    """Raise `ForbiddenError` where there is something below, however deep, that the caller may not delete.

    What there is beyond the bound is judged when its turn comes.
    """
    for each in known.contained:
        found = await shelf.contained.find_contained(each.type, each.parent.property, parent_ids, limit=_MOST_JUDGED)
        if found.resources:
            _check_grant(each, grants)
            below = await shelf.catalog.find(each.type)
            await _check_grants(below, [child.id for child in found.resources], grants, shelf)


def _referenced(known: KnownType, contained: Contained, grants: frozenset[str] | None) -> ReferencedError:
    if not _is_granted(contained, grants):
        return ReferencedError(f"This {known.name} contains resources of a type that the caller has no grant for.")
    return ReferencedError(
        f"This {known.name} contains resources of type {contained.type}, shown as '{contained.parent.shown_as}'. "
        "Delete those first, or all together with ?cascade=true."
    )


def _check_grant(contained: Contained, grants: frozenset[str] | None) -> None:
    if not _is_granted(contained, grants):
        raise ForbiddenError("It contains resources of a type that the caller has no grant for.")


def _is_granted(contained: Contained, grants: frozenset[str] | None) -> bool:
    return grants is None or contained.type in grants


async def _contained_in(target: Target, contained: Contained, shelf: Shelf) -> list[Resource]:
    found = await shelf.contained.find_contained(
        contained.type, contained.parent.property, [target.reference], limit=_CASCADED_AT_ONCE
    )
    return found.resources
