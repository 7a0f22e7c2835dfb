"""Identifiers: claimed with the resource in one transaction, and read back from a reference in a URL."""

from service.core.identifier import Identifier, claims, readings
from service.core.values import Json
from service.errors import AmbiguousIdentifierError, DuplicateIdentifierError, NotFoundError
from service.model import Companion
from service.ports import IdentifierStore

COLLECTION = "identifiers"
_MAX_BARS = 8
"""References with more bars than this are not tried."""


def claiming(
    resource_type: str,
    resource_id: str,
    before: dict[str, Json] | None,
    after: dict[str, Json] | None,
    identifiers: IdentifierStore,
) -> tuple[Companion, ...]:
    """List the claims that change when content goes from `before` to `after`; None is a resource that is not there."""
    had = claims(before) if before is not None else frozenset()
    has = claims(after) if after is not None else frozenset()
    if had == has:
        return ()
    return (
        *(_companion(resource_type, resource_id, each, "remove", identifiers) for each in sorted(had - has)),
        *(_companion(resource_type, resource_id, each, "insert", identifiers) for each in sorted(has - had)),
    )


async def identify(resource_type: str, reference: str, identifiers: IdentifierStore) -> str:
    """Return the id of the resource that holds the identifier.

    Raises `NotFoundError` where none does, `AmbiguousIdentifierError` where more than one does.
    """
    found: set[str] = set()
    if reference.count("|") <= _MAX_BARS:
        for reading in readings(reference):
            if isinstance(reading, Identifier):
                found.update(await identifiers.find(resource_type, reading.value, reading.system))
            else:
                found.update(await identifiers.find(resource_type, reading))
    if not found:
        raise unknown(resource_type)
    if len(found) > 1:
        raise AmbiguousIdentifierError(
            f"More than one {resource_type} has this identifier; write it as system|value, or use the id."
        )
    return found.pop()


def unknown(resource_type: str) -> NotFoundError:
    """Build the refusal of a reference that means nothing."""
    return NotFoundError(
        f"There is no {resource_type} with this id or identifier; GET /v1/{resource_type} lists those there are."
    )


def _companion(
    resource_type: str, resource_id: str, identifier: Identifier, action: str, identifiers: IdentifierStore
) -> Companion:
    named = f"{identifier.system}|{identifier.value}" if identifier.system else identifier.value
    conflict = DuplicateIdentifierError(f"Another {resource_type} has the identifier '{named}'.", pointer="/identifier")
    owner = {"resource": resource_id}
    return Companion(
        collection=COLLECTION,
        id=identifiers.claim_id(resource_type, identifier.value, identifier.system),
        action="insert" if action == "insert" else "remove",
        conflict=conflict,
        fields=owner if action == "insert" else {},
        expected={} if action == "insert" else owner,
    )
