"""Identifiers of resources: what the member `identifier` claims, and how a reference in a URL may be read."""

from collections.abc import Iterator

import msgspec

from service.core.pointer import format_pointer
from service.core.values import Json
from service.errors import ResultTooLargeError

MEMBER = "identifier"
MAX_IDENTIFIERS = 200
MAX_LENGTH = 512


class Identifier(msgspec.Struct, frozen=True, order=True):
    """A value that names a resource within a system; one without a system has the empty one."""

    value: str
    system: str = ""


def claims(content: dict[str, Json]) -> frozenset[Identifier]:
    """Give what the content's `identifier` claims; items that are no `{system, value}` claim nothing.

    Raises `ResultTooLargeError` for too many or too long ones.

    >>> claims({"identifier": [{"system": "npi", "value": "7"}, {"use": "old"}]})
    frozenset({Identifier(value='7', system='npi')})
    """
    items = content.get(MEMBER)
    if not isinstance(items, list):
        return frozenset()
    if len(items) > MAX_IDENTIFIERS:
        raise ResultTooLargeError(
            f"The resource has {len(items)} identifiers; at most {MAX_IDENTIFIERS} are kept.",
            pointer=f"/{MEMBER}",
            limit="identifiers",
            maximum=MAX_IDENTIFIERS,
        )
    return frozenset(_claims(items))


def readings(reference: str) -> Iterator[Identifier | str]:
    """Yield what a reference may mean: a bare value (in any system), and `system|value` split at each bar.

    >>> list(readings("npi|7"))
    ['npi|7', Identifier(value='7', system='npi')]
    """
    yield reference
    at = reference.find("|")
    while at >= 0:
        yield Identifier(value=reference[at + 1 :], system=reference[:at])
        at = reference.find("|", at + 1)


def _claims(items: list[Json]) -> Iterator[Identifier]:
    for index, item in enumerate(items):
        value = item.get("value") if isinstance(item, dict) else None
        system = (item.get("system") or "") if isinstance(item, dict) else ""
        if not isinstance(value, str) or not isinstance(system, str) or not value:
            continue
        if len(value) + len(system) > MAX_LENGTH:
            raise ResultTooLargeError(
                f"The identifier is longer than {MAX_LENGTH} characters, system and value together.",
                pointer=format_pointer((MEMBER, index)),
                limit="identifier",
                maximum=MAX_LENGTH,
            )
        yield Identifier(value, system)
