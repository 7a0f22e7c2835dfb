"""What the use cases of resources work with, and what a type's definition asks of a change."""

from typing import NamedTuple

from msgspec import UNSET

from service.core.definition import Parent
from service.core.values import Json
from service.errors import SchemaViolationError
from service.model import Companion
from service.ports import ContainedStore, IdentifierStore, ResourceStore, Timeline
from service.usecases.catalog import KnownType, TypeCatalog
from service.usecases.drafting import Content, Rules
from service.usecases.identifying import claiming


class Shelf(NamedTuple):
    """The collaborators of every use case about resources."""

    resources: ResourceStore
    catalog: TypeCatalog
    identifiers: IdentifierStore
    contained: ContainedStore
    timeline: Timeline


class UnknownParentError(Exception):
    """Final content names a parent that nobody has looked up yet. Never leaves the use cases."""

    def __init__(self, parent: Parent, parent_id: str) -> None:
        super().__init__(parent_id)
        self.parent = parent
        self.parent_id = parent_id


def rules_of(known: KnownType, shelf: Shelf, verified: set[str]) -> Rules:
    """Make the rules that a change of a resource of the type obeys.

    They raise `UnknownParentError` for content whose parent is not in `verified`.
    """
    definition = known.definition
    parent = definition.parent if definition.parent is not UNSET else None

    def check(document: Content) -> None:
        if known.schema is not None:
            known.schema.check(document)
        if parent is not None and (parent_id := _parent_of(document, parent)) not in verified:
            raise UnknownParentError(parent, parent_id)

    def accompany(resource_id: str, before: Content | None, after: Content | None) -> tuple[Companion, ...]:
        return claiming(known.name, resource_id, before, after, shelf.identifiers)

    return Rules(
        identified_lists=definition.identified_lists,
        requires_if_match=definition.requires_if_match,
        computed=frozenset(each.parent.shown_as for each in known.contained),
        check=check,
        accompany=accompany,
    )


def _parent_of(document: Content, parent: Parent) -> str:
    """Return the id of the parent; raise `SchemaViolationError` when the content names none."""
    value: Json = document.get(parent.property)
    if not isinstance(value, str) or not value:
        raise missing_parent(parent)
    return value


def missing_parent(parent: Parent) -> SchemaViolationError:
    """Build the refusal of content without an existing parent."""
    return SchemaViolationError(
        f"'{parent.property}' must be the id of an existing {parent.type}.", pointer=f"/{parent.property}"
    )
