"""Parents and the resources they contain: none enters a parent that is going, no parent goes while one enters.

Each parent has a turn, a number that grows in the same transaction with every resource that enters it and with its own
deletion. Who reads the turn, then looks, then writes on condition of that turn, has seen what still holds.
"""

import asyncio
from collections.abc import Mapping
from weakref import WeakValueDictionary

from service.core.definition import Parent
from service.core.pointer import format_pointer
from service.core.values import Json
from service.errors import DuplicateIdentifierError, OverloadedError, SchemaViolationError
from service.model import Companion
from service.ports import ContainedStore, ResourceStore

_COLLECTION = "families"
Turns = dict[str, int]
"""The turns of the parents that were looked up for a request."""


class UnknownParentError(Exception):
    """A change takes a resource to a parent that nobody has looked up yet. Never leaves the use cases."""

    def __init__(self, parent: Parent, parent_id: str, resource_id: str) -> None:
        super().__init__(parent_id)
        self.parent = parent
        self.parent_id = parent_id
        self.resource_id = resource_id


class MovedOnError(OverloadedError):
    """Something else entered the parent, or the parent went: look again."""


class FamilyLocks:
    """Lets the writers of one process take turns with a parent, instead of racing for its turn."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, parent_id: str) -> asyncio.Lock:
        """Return the parent's lock; it lives as long as somebody holds it."""
        lock = self._locks.get(parent_id)
        if lock is None:
            lock = self._locks[parent_id] = asyncio.Lock()
        return lock


def check_named(document: Mapping[str, Json], parent: Parent) -> None:
    """Raise `SchemaViolationError` for content that names no parent."""
    value = document.get(parent.property)
    if not isinstance(value, str) or not value:
        raise missing_parent(parent)


def entering(
    parent: Parent,
    resource_id: str,
    before: Mapping[str, Json] | None,
    after: Mapping[str, Json] | None,
    turns: Turns,
) -> tuple[Companion, ...]:
    """Take the turn of the parent that the resource comes to by the change, if it does."""
    parent_id = None if after is None else after.get(parent.property)
    if not isinstance(parent_id, str) or (before is not None and before.get(parent.property) == parent_id):
        return ()
    if parent_id not in turns:
        raise UnknownParentError(parent, parent_id, resource_id)
    return (taking(parent_id, turns[parent_id]),)


def taking(parent_id: str, turn: int) -> Companion:
    """Take a parent's turn: the record of it changes with the resource, or neither does."""
    return Companion(
        collection=_COLLECTION,
        id=parent_id,
        action="replace" if turn else "insert",
        conflict=MovedOnError("Other writers keep changing what the parent contains. Try again shortly."),
        fields={"turn": turn + 1},
        expected={"turn": turn} if turn else {},
    )


async def look_up(
    unknown: UnknownParentError, resource_type: str, resources: ResourceStore, contained: ContainedStore
) -> int:
    """Return the parent's turn if the resource may enter it.

    Raises `SchemaViolationError` where there is no such parent, `DuplicateIdentifierError` where it is taken.
    """
    turn = await contained.read_turn(unknown.parent_id)
    parent = await resources.find(unknown.parent_id)
    if parent is None or parent.deleted or parent.type != unknown.parent.type:
        raise missing_parent(unknown.parent)
    if not unknown.parent.many:
        member = unknown.parent.property
        found = await contained.find_contained(resource_type, member, [unknown.parent_id], limit=2)
        if any(each.id != unknown.resource_id for each in found.resources):
            raise DuplicateIdentifierError(
                f"This {unknown.parent.type} has its '{unknown.parent.shown_as}' already.",
                pointer=format_pointer((member,)),
            )
    return turn


def missing_parent(parent: Parent) -> SchemaViolationError:
    """Build the refusal of content without an existing parent."""
    return SchemaViolationError(
        f"'{parent.property}' must be the id of an existing {parent.type}.", pointer=format_pointer((parent.property,))
    )
