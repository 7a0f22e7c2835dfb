"""Definitions of types: put, read, forgotten; and existing resources held against them."""

from collections.abc import AsyncIterator

import msgspec
from msgspec import UNSET

from service.core.definition import Parent, TypeDefinition
from service.core.identifier import MEMBER
from service.core.owned import OWNED
from service.core.schema import Schema
from service.errors import InvalidRequestError, NotFoundError, SchemaViolationError, Violation
from service.ports import IndexStore, ResourceLister, TypeStore
from service.usecases.catalog import KnownType
from service.usecases.containing import check_named
from service.usecases.drafting import content_of
from service.usecases.shelf import Shelf

_BATCH = 200
_MOST_GENERATIONS = 20


class Refused(msgspec.Struct, frozen=True, rename="camel"):
    """A resource that the definition would refuse as it stands."""

    id: str
    version: int
    errors: tuple[Violation, ...]


class Progress(msgspec.Struct, frozen=True, rename="camel"):
    """How far a check has come; `total` is an estimate while resources come and go."""

    checked: int
    refused: int
    total: int


async def define(
    name: str, definition: TypeDefinition, types: TypeStore, indexes: IndexStore, shelf: Shelf, *, dry_run: bool
) -> bool:
    """Keep a definition that can be lived by; return whether the type had none before.

    It is kept only if no other has changed since it was held against them: it is looked at again then.
    Raises `InvalidRequestError` for a schema that is none and for a provider or a parent that cannot be.
    """
    if definition.json_schema is not UNSET:
        Schema(definition.json_schema)
    is_new: bool | None = None
    while is_new is None:
        count = await types.read_count()
        shelf.catalog.forget()
        known = await shelf.catalog.find_to_replace(name)
        if definition.parent is not UNSET:
            await _check_parent(name, definition.parent, shelf)
        others = [each.definition for each in await shelf.catalog.list_defined() if each.name != name]
        members = [path for each in (definition, *others) for path in indexed_members(each)]
        await indexes.ensure_members(members, dry_run=dry_run)
        if dry_run:
            return not known.is_defined
        is_new = await types.put(name, msgspec.json.encode(definition), since=count)
        shelf.catalog.forget()
    return is_new


async def find_defined(name: str, shelf: Shelf) -> KnownType:
    """Return a type that has a definition; raise `NotFoundError`."""
    return _defined(await shelf.catalog.find(name))


async def forget(name: str, types: TypeStore, shelf: Shelf, *, dry_run: bool) -> None:
    """Forget a definition; the resources of the type stay, and live by the defaults."""
    _defined(await shelf.catalog.find_to_replace(name))
    if not dry_run:
        await types.delete(name)
        shelf.catalog.forget()


def _defined(known: KnownType) -> KnownType:
    if not known.is_defined:
        raise NotFoundError(f"The type {known.name} has no definition; resources of it live by the defaults.")
    return known


async def check(
    name: str, definition: TypeDefinition | None, lister: ResourceLister, shelf: Shelf
) -> AsyncIterator[Refused | Progress]:
    """Hold all resources of the type against a definition, None for its own; tell what it refuses on the way."""
    catalog = shelf.catalog
    known = await (catalog.find(name) if definition is None else catalog.find_to_replace(name))
    used = definition or known.definition
    schema = Schema(used.json_schema) if used.json_schema is not UNSET else None
    total = await lister.count(name)
    checked = refused = 0
    after: str | None = None
    while batch := await lister.scan(name, after, _BATCH):
        for resource in batch:
            checked += 1
            if violations := _violations(content_of(resource), schema, used):
                refused += 1
                yield Refused(resource.id, resource.version, violations)
        after = batch[-1].id
        yield Progress(checked, refused, max(total, checked))
    yield Progress(checked, refused, checked)


def indexed_members(definition: TypeDefinition) -> tuple[tuple[str, ...], ...]:
    """List the members that queries of the type look for, as paths."""
    named = {tuple(each.split(".")) for each in definition.indexes}
    if definition.parent is not UNSET:
        named.add((definition.parent.property,))
    return tuple(sorted(named))


def _violations(content: dict[str, object], schema: Schema | None, definition: TypeDefinition) -> tuple[Violation, ...]:
    found: tuple[Violation, ...] = ()
    try:
        if schema is not None:
            schema.check(content)
    except SchemaViolationError as error:
        found = error.violations
    try:
        if definition.parent is not UNSET:
            check_named(content, definition.parent)
    except SchemaViolationError as error:
        found = (*found, *error.violations)
    return found


async def _check_parent(name: str, parent: Parent, shelf: Shelf) -> None:
    if not {parent.property, parent.shown_as}.isdisjoint((*OWNED, MEMBER)):
        raise InvalidRequestError(
            f"The parent's members may not be those that the service owns, nor '{MEMBER}'.", field="parent"
        )
    ancestor = parent.type
    for _ in range(_MOST_GENERATIONS):
        if ancestor == name:
            raise InvalidRequestError(
                f"A {name} cannot be contained in itself, not even by way of {parent.type}.", field="parent.type"
            )
        next_parent = (await shelf.catalog.find(ancestor)).definition.parent
        if next_parent is UNSET:
            break
        ancestor = next_parent.type
    else:
        raise InvalidRequestError(f"Types contain each other at most {_MOST_GENERATIONS} deep.", field="parent.type")
    if any(each.parent.shown_as == parent.property for each in (await shelf.catalog.find_to_replace(name)).contained):
        raise InvalidRequestError(
            f"A {name} shows contained resources as '{parent.property}', so that it cannot name its parent there.",
            field="parent.property",
        )
    above = await shelf.catalog.find(parent.type)
    if above.definition.parent is not UNSET and above.definition.parent.property == parent.shown_as:
        raise InvalidRequestError(
            f"A {parent.type} names its own parent in '{parent.shown_as}', so that it cannot show others there.",
            field="parent.as",
        )
    siblings = above.contained
    if any(each.parent.shown_as == parent.shown_as and each.type != name for each in siblings):
        raise InvalidRequestError(
            f"A {parent.type} shows other resources as '{parent.shown_as}' already.", field="parent.as"
        )
