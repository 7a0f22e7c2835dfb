"""The history of a resource: its versions, how each came about, what lies between two, and the way back."""

from datetime import datetime

import msgspec

from service.core.options import DiffOptions
from service.core.timestamp import format_timestamp
from service.errors import GoneError, NotFoundError
from service.model import Resource
from service.ports import Comparer, ListedRevisions, Outcome
from service.usecases import drafting
from service.usecases.presenting import Shown, show
from service.usecases.shelf import Shelf
from service.usecases.writing import Mode, Target, find_kept, write


async def find_version(target: Target, version: int, shelf: Shelf) -> Shown:
    """Return a resource as it stood at a version; raise `NotFoundError`, `GoneError` where it stood deleted."""
    await shelf.catalog.find(target.type)
    return _shown(await at_version(await find_kept(target, shelf), version, shelf))


async def find_at(target: Target, moment: datetime, shelf: Shelf) -> Shown:
    """Return a resource as it stood at a time."""
    await shelf.catalog.find(target.type)
    resource = await find_kept(target, shelf)
    version = await shelf.timeline.find_version_at(resource.id, format_timestamp(moment))
    if version is None:
        raise NotFoundError(f"There was no version of it at that time; it was created at {resource.created_at}.")
    return _shown(await at_version(resource, version, shelf))


async def list_history(target: Target, limit: int, before: int | None, shelf: Shelf) -> ListedRevisions:
    """Return how the versions came about, newest first, those below `before` if given."""
    await shelf.catalog.find(target.type)
    resource = await find_kept(target, shelf)
    return await shelf.resources.list_revisions(resource.id, before=before, limit=limit)


async def diff(
    target: Target, from_version: int, to_version: int, options: DiffOptions, comparer: Comparer, shelf: Shelf
) -> Outcome:
    """Return the patch that takes one version, as it was answered, to another."""
    await shelf.catalog.find(target.type)
    resource = await find_kept(target, shelf)
    before = await at_version(resource, from_version, shelf, field="from")
    after = await at_version(resource, to_version, shelf, field="to")
    return await comparer.compare(show(before, {}), show(after, {}), options)


async def revert(target: Target, version: int, mode: Mode, shelf: Shelf) -> Shown:
    """Make a new version that equals an earlier one; a deleted resource comes back by it."""
    known = await shelf.catalog.find(target.type)
    resource = await find_kept(target, shelf)
    content = drafting.content_of(await at_version(resource, version, shelf))
    found = msgspec.structs.replace(target, reference=resource.id)
    return await write(found, known, lambda asked: drafting.reverting(asked, content), mode, shelf)


async def at_version(resource: Resource, version: int, shelf: Shelf, *, field: str = "version") -> Resource:
    """Return the resource as it stood at a version, deleted or not; raise `NotFoundError`, which names the `field`."""
    if version == resource.version:
        return resource
    found = await shelf.resources.find_version(resource.id, version)
    if found is None:
        older = "it is no longer kept" if version < resource.version else f"the newest is {resource.version}"
        raise NotFoundError(f"There is no version {version} of it: {older}.", field=field)
    return found


def _shown(resource: Resource) -> Shown:
    if resource.deleted:
        raise GoneError(f"Version {resource.version} is its deletion; ask for an earlier one.")
    return Shown(resource, show(resource, {}))
