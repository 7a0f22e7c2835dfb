"""Writes to resources: rules found, parents looked up, identifiers followed, the change handed to the store."""

from collections.abc import Callable
from contextlib import AsyncExitStack

import msgspec

from service.core.conditions import NO_CONDITIONS, Conditions
from service.core.identifier import MAX_LENGTH
from service.errors import NotFoundError
from service.model import Attribution, Resource
from service.ports import Changing
from service.usecases.asked import Asked, gone
from service.usecases.catalog import KnownType
from service.usecases.containing import MovedOnError, Turns, UnknownParentError, look_up
from service.usecases.identifying import identify, unknown
from service.usecases.presenting import Shown, present
from service.usecases.shelf import Shelf, rules_of

_MOST_ATTEMPTS = 40


class Target(msgspec.Struct, frozen=True):
    """What a URL names: a type, and the id or an identifier of one of its resources.

    `grants` are the types that the caller may see where this one contains others; None grants all.
    """

    type: str
    reference: str
    grants: frozenset[str] | None = None


class Mode(msgspec.Struct, frozen=True, kw_only=True):
    """How a write is done, and by whom. `merges`: a change of an earlier version is merged with what came since.

    `weight` is roughly how many bytes the change is made of.
    """

    attribution: Attribution
    conditions: Conditions = NO_CONDITIONS
    dry_run: bool = False
    merges: bool = False
    weight: int = 0


async def find_standing(target: Target, shelf: Shelf) -> Resource:
    """Return a resource by its id or one of its identifiers, unless it is deleted.

    Raises `NotFoundError`, `GoneError`, `AmbiguousIdentifierError`.
    """
    resource = await find_kept(target, shelf)
    if resource.deleted:
        raise gone(target.type)
    return resource


async def find_kept(target: Target, shelf: Shelf) -> Resource:
    """Return a resource, deleted or not."""
    if len(target.reference) > MAX_LENGTH + 1:
        raise unknown(target.type)
    resource = await shelf.resources.find(target.reference)
    if resource is None or resource.type != target.type:
        resource = await shelf.resources.find(await identify(target.type, target.reference, shelf.identifiers))
    if resource is None or resource.type != target.type:
        raise unknown(target.type)
    return resource


async def write(
    target: Target, known: KnownType, making: Callable[[Asked], Changing], mode: Mode, shelf: Shelf
) -> Shown:
    """Carry a change out on what the target names; by its id first, which is what most references are.

    Raises what the change and the store raise.
    """
    try:
        return await _write(target, known, making, mode, shelf)
    except NotFoundError:
        resource_id = await identify(target.type, target.reference, shelf.identifiers)
        return await _write(msgspec.structs.replace(target, reference=resource_id), known, making, mode, shelf)


async def _write(
    target: Target, known: KnownType, making: Callable[[Asked], Changing], mode: Mode, shelf: Shelf
) -> Shown:
    """Write, looking parents up as the change comes upon them."""
    turns: Turns = {}
    asked = Asked(target.reference, target.type, mode.conditions, rules_of(known, shelf, turns), shelf.engine)
    async with AsyncExitStack() as held:
        for _ in range(_MOST_ATTEMPTS):
            try:
                written = await shelf.resources.write(
                    target.reference,
                    target.type,
                    making(asked),
                    mode.attribution,
                    dry_run=mode.dry_run,
                    weight=mode.weight,
                )
            except UnknownParentError as absent:
                if len(turns) == 0:  # one lock at most, so that no two writers can wait for each other
                    await held.enter_async_context(shelf.families.of(absent.parent_id))
                turns[absent.parent_id] = await look_up(absent, target.type, shelf.resources, shelf.contained)
            except MovedOnError:
                turns.clear()
                await held.aclose()
            else:
                return await present(known.seen_by(target.grants), written.resource, shelf, changed=written.changed)
    raise MovedOnError("Other writers keep changing what the parent contains. Try again shortly.")
