"""What the use cases of resources work with, and what a type's definition asks of a change."""

from typing import NamedTuple

from msgspec import UNSET

from service.core.engine import Engine
from service.model import Companion
from service.ports import ContainedStore, IdentifierStore, ResourceStore, Timeline
from service.usecases.asked import Content, Rules
from service.usecases.catalog import KnownType, TypeCatalog
from service.usecases.containing import FamilyLocks, Turns, check_named, entering
from service.usecases.identifying import claiming


class Shelf(NamedTuple):
    """The collaborators of every use case about resources."""

    resources: ResourceStore
    catalog: TypeCatalog
    identifiers: IdentifierStore
    contained: ContainedStore
    timeline: Timeline
    families: FamilyLocks
    engine: Engine


def rules_of(known: KnownType, shelf: Shelf, turns: Turns) -> Rules:
    """Make the rules that a change of a resource of the type obeys.

    They raise `UnknownParentError` for a parent that is new to the resource and not among `turns`.
    """
    definition = known.definition
    parent = definition.parent if definition.parent is not UNSET else None

    def check(document: Content) -> None:
        if known.schema is not None:
            known.schema.check(document)
        if parent is not None:
            check_named(document, parent)

    def accompany(resource_id: str, before: Content | None, after: Content | None) -> tuple[Companion, ...]:
        claims = claiming(known.name, resource_id, before, after, shelf.identifiers)
        return claims if parent is None else (*claims, *entering(parent, resource_id, before, after, turns))

    return Rules(
        identified_lists=definition.identified_lists,
        requires_if_match=definition.requires_if_match,
        computed=frozenset(each.parent.shown_as for each in known.contained),
        check=check,
        accompany=accompany,
    )
