"""Patches as they are read: found, listed with where they stand, matched with eligible resources."""

from typing import NamedTuple

from service.core.lifecycle import Status
from service.errors import NotFoundError
from service.model import Caller, Resource
from service.patches import Page, Patch, Standing
from service.ports import (
    ApplicationStore,
    Clock,
    Comparer,
    ConfirmationStore,
    Eligibility,
    EndpointStore,
    MoveStore,
    OutboxStore,
    PatchStore,
    Provider,
    SourceReader,
)
from service.usecases.asked import Limits, gone
from service.usecases.permission import check_found, check_type
from service.usecases.shelf import Shelf

_MOST_LOOKED_AT = 1000
_LEAST_LOOKED_AT = 100


class Desk(NamedTuple):
    """The collaborators of every use case about patches."""

    patches: PatchStore
    applications: ApplicationStore
    moves: MoveStore
    eligibility: Eligibility
    builtin: Provider
    endpoints: EndpointStore
    outbox: OutboxStore
    confirmations: ConfirmationStore
    shelf: Shelf
    readers: SourceReader
    comparer: Comparer
    clock: Clock
    limits: Limits


class Recorded(NamedTuple):
    """A patch and where it stands; `is_new` says whether the request made it."""

    patch: Patch
    standing: Standing
    is_new: bool = False


async def find(resource_id: str, patch_id: str, caller: Caller, desk: Desk) -> Patch:
    """Return a patch; raise `NotFoundError` when resource or patch is not there."""
    await find_resource(resource_id, caller, desk, even_deleted=True)
    patch = await desk.patches.find(resource_id, patch_id)
    if patch is None:
        raise NotFoundError("This resource has no patch with this id; GET …/patches lists those it has.")
    return patch


async def describe(patch: Patch, caller: Caller, desk: Desk) -> Recorded:
    """Add to a patch where it stands on the targets that the caller may see."""
    standings = await desk.patches.find_standings(patch.resource_id, [patch.patch_id], caller.types)
    return Recorded(patch, standings.get(patch.patch_id, Standing()))


async def list_newest(
    resource_id: str,
    status: Status | None,
    after: tuple[str, str] | None,
    limit: int,
    caller: Caller,
    desk: Desk,
) -> tuple[list[Recorded], tuple[str, str] | None]:
    """Return patches newest first, and after which to go on.

    A page of one status may hold fewer than `limit` and still have a next one: the patches looked at are bounded.
    """
    found: list[Recorded] = []
    looked_at = 0
    at_once = limit if status is None else limit + _LEAST_LOOKED_AT
    while True:
        batch = await desk.patches.list_newest(resource_id, after, at_once)
        ids = [each.patch_id for each in batch.patches]
        standings = await desk.patches.find_standings(resource_id, ids, caller.types)
        for patch in batch.patches:
            standing = standings.get(patch.patch_id, Standing())
            after, looked_at = (patch.created_at, patch.patch_id), looked_at + 1
            if status in (None, standing.status):
                found.append(Recorded(patch, standing))
            if len(found) == limit:
                is_last = patch is batch.patches[-1] and not batch.more
                return found, None if is_last else after
        if not batch.more:
            return found, None
        if looked_at >= _MOST_LOOKED_AT or len(batch.patches) < at_once:  # enough, or very large patches
            return found, after


async def find_eligible(
    patch: Patch, resource_type: str | None, after: str, limit: int, caller: Caller, desk: Desk
) -> Page:
    """Return resources that satisfy every constraint of the patch, of the types that the caller may see."""
    check_type(caller, resource_type)
    types = sorted(caller.types) if caller.types is not None else None
    wanted = types if resource_type is None else [resource_type]
    return await desk.eligibility.find_page(patch.all_constraints, wanted, after, limit)


async def find_resource(resource_id: str, caller: Caller, desk: Desk, *, even_deleted: bool = False) -> Resource:
    """Return a resource that the caller may touch; raise `NotFoundError`, `GoneError`, `ForbiddenError`."""
    resource = await desk.shelf.resources.find(resource_id)
    if resource is None:
        raise NotFoundError(f"There is no resource with the id '{resource_id[:200]}'; give an id, not an identifier.")
    check_found(caller, resource.type)
    if resource.deleted and not even_deleted:
        raise gone(resource.type)
    return resource
