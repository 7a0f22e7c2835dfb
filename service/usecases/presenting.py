"""Resources as they are answered: with the members that the service owns, and the resources they contain."""

from collections.abc import Mapping, Sequence

import msgspec

from service.core import owned, values
from service.core.pointer import format_pointer
from service.core.values import Json
from service.errors import ImmutablePropertyError, ResultTooLargeError
from service.model import Resource
from service.usecases.catalog import Contained, KnownType
from service.usecases.shelf import Shelf

_MAX_CONTAINED_ON_PAGE = 10_000
MAX_CONTAINED = 1000
"""How many contained resources a parent shows of each type; the list of the type has them all."""


class Shown(msgspec.Struct, frozen=True):
    """A resource as it is answered: `text` is its JSON. `changed` says whether the request made the version.

    `varies` says that the text has members that may change though the version does not, `merged` that the request was
    made for an earlier version and merged with what came since.
    """

    resource: Resource
    text: bytes
    changed: bool = True
    varies: bool = False
    merged: bool = False


async def present(known: KnownType, resource: Resource, shelf: Shelf, *, changed: bool = True) -> Shown:
    """Show one resource."""
    members: dict[str, bytes] = {}
    if known.contained:
        (members,) = await find_contained(known, [resource.id], shelf)
    return Shown(resource, show(resource, members), changed, varies=bool(members))


async def find_contained(known: KnownType, parent_ids: Sequence[str], shelf: Shelf) -> list[dict[str, bytes]]:
    """Find, for each parent, what it shows of its contained resources; one query for each contained type."""
    members: dict[str, dict[str, bytes]] = {parent_id: {} for parent_id in parent_ids}
    for each in known.contained:
        found = await _children(each, parent_ids, shelf)
        for parent_id, texts in found.items():
            members[parent_id][each.parent.shown_as] = _shown_as(texts, each)
    return [members[parent_id] for parent_id in parent_ids]


async def strip_contained(
    known: KnownType, resource_id: str, content: dict[str, Json], shelf: Shelf
) -> dict[str, Json]:
    """Give the content of a replacement without contained resources, which may be sent as they were read.

    Raises `ImmutablePropertyError` when they differ from what the parent shows.
    """
    names = {each.parent.shown_as for each in known.contained} & content.keys()
    if not names:
        return content
    (members,) = await find_contained(known, [resource_id], shelf)
    for name in names:
        if not values.equal(msgspec.json.decode(members[name]), content[name]):
            raise ImmutablePropertyError(
                f"'{name}' shows contained resources; change those instead, or send it as it was read.",
                pointer=format_pointer((name,)),
            )
    return {name: value for name, value in content.items() if name not in names}


def show(resource: Resource, members: Mapping[str, bytes]) -> bytes:
    """Write a resource as JSON."""
    shown = {"id": resource.id, "createdAt": resource.created_at, "updatedAt": resource.updated_at}
    return owned.show_text(resource.text, shown, members)


async def _children(contained: Contained, parent_ids: Sequence[str], shelf: Shelf) -> dict[str, list[bytes]]:
    member = contained.parent.property
    texts: dict[str, list[bytes]] = {parent_id: [] for parent_id in parent_ids}
    limit = MAX_CONTAINED if len(parent_ids) == 1 else _MAX_CONTAINED_ON_PAGE
    found = await shelf.contained.find_contained(contained.type, member, parent_ids, limit=limit)
    if not found.are_all and len(parent_ids) > 1:
        raise ResultTooLargeError(
            f"The resources of this page contain too many of type {contained.type}: ask for fewer with `limit`, or "
            f"leave '{contained.parent.shown_as}' out by `fields`.",
            limit="contained",
            maximum=limit,
        )
    for child in found.resources:
        siblings = texts[msgspec.json.decode(child.text)[member]]
        if len(siblings) < MAX_CONTAINED:
            siblings.append(show(child, {}))
    return texts


def _shown_as(texts: list[bytes], contained: Contained) -> bytes:
    if contained.parent.many:
        return b"[" + b",".join(texts) + b"]"
    return texts[0] if texts else b"null"
