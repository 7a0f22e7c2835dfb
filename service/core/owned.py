"""Members of a resource that the service owns: shown with the content, never changed by a client."""

from collections.abc import Iterable, Mapping

import msgspec

from service.core import values
from service.core.operation import Operation
from service.core.pointer import format_pointer, parse_pointer
from service.core.timestamp import parse_timestamp
from service.core.values import Json
from service.errors import ImmutablePropertyError, Violation

TIMES = ("createdAt", "updatedAt")
OWNED = ("id", *TIMES)


def show(content: dict[str, Json], owned: Mapping[str, Json]) -> dict[str, Json]:
    """Give the resource as it is shown: the id, the content, the times. The content's values are shared, not copied.

    >>> show({"name": "x"}, {"id": "1", "createdAt": "t", "updatedAt": "u"})
    {'id': '1', 'name': 'x', 'createdAt': 't', 'updatedAt': 'u'}
    """
    return {"id": owned["id"], **content, "createdAt": owned["createdAt"], "updatedAt": owned["updatedAt"]}


def show_text(text: bytes, owned: Mapping[str, str], computed: Mapping[str, bytes]) -> bytes:
    """Give the same as JSON; `computed` are members, as JSON, that follow the content, in place of its own of the name.

    The content is decoded only where it may have one.

    >>> show_text(b'{"name":"x"}', {"id": "1", "createdAt": "t", "updatedAt": "u"}, {})
    b'{"id":"1","name":"x","createdAt":"t","updatedAt":"u"}'
    """
    if any(values.encode(name) in text for name in computed):
        content: dict[str, Json] = msgspec.json.decode(text)
        text = values.encode({name: value for name, value in content.items() if name not in computed})
    parts = [b'{"id":' + values.encode(owned["id"])]
    if len(text) > 2:
        parts.append(text[1:-1])
    if computed:
        parts += [values.encode(name) + b":" + value for name, value in computed.items()]
    created, updated = values.encode(owned["createdAt"]), values.encode(owned["updatedAt"])
    parts.append(b'"createdAt":' + created + b',"updatedAt":' + updated + b"}")
    return b",".join(parts)


def take_off(document: dict[str, Json], owned: Mapping[str, Json], *, all_present: bool) -> dict[str, Json]:
    """Give the content of a shown document; `owned` is what its owned members must be where they are present.

    Raises `ImmutablePropertyError` with one violation for each that differs, or is missing though `all_present`.
    """
    violations = tuple(
        Violation(code=ImmutablePropertyError.code, detail=f"'{name}' is set by the service", pointer=f"/{name}")
        for name in OWNED
        if (name in document or all_present)
        and not (name in document and name in owned and _same(name, document[name], owned[name]))
    )
    if violations:
        names = ", ".join(str(each.pointer).removeprefix("/") for each in violations)
        raise ImmutablePropertyError(
            f"The service sets {names}: send it as it was read, or leave it out.", violations=violations
        )
    return {name: value for name, value in document.items() if name not in OWNED}


def refuse_computed(document: Mapping[str, Json], computed: frozenset[str], before: Mapping[str, Json]) -> None:
    """Raise `ImmutablePropertyError` when the document has members that are computed when it is read.

    Those may stay that the content had `before`, from the time when they were not computed.
    """
    at_fault = [
        name
        for name in document
        if name in computed and not (name in before and values.equal(before[name], document[name]))
    ]
    if not at_fault:
        return
    violations = tuple(
        Violation(
            code=ImmutablePropertyError.code,
            detail=f"'{name}' shows contained resources; change those instead",
            pointer=format_pointer((name,)),
        )
        for name in at_fault
    )
    raise ImmutablePropertyError(f"{violations[0].detail}.", violations=violations)


def refuse_computed_members(patch: Json, content: Mapping[str, Json], computed: frozenset[str]) -> None:
    """Raise `ImmutablePropertyError` for a merge patch of members that are computed; one in the content may go."""
    if computed and isinstance(patch, dict):
        refuse_computed({name: value for name, value in patch.items() if name not in content}, computed, {})


def refuse_computed_paths(operations: Iterable[Operation], computed: frozenset[str]) -> None:
    """Raise `ImmutablePropertyError` for operations that would write below members that are computed."""
    if not computed:
        return
    violations = tuple(
        Violation(
            code=ImmutablePropertyError.code,
            detail=f"Operation {index}: '{tokens[0]}' shows contained resources; change those instead",
            pointer=format_pointer(tokens[:1]),
            index=index,
            op=operation["op"],
            path=operation["path"],
        )
        for index, operation in enumerate(operations)
        if operation["op"] != "test" and (tokens := parse_pointer(operation["path"])) and tokens[0] in computed
    )
    if violations:
        raise ImmutablePropertyError(f"{violations[0].detail}.", violations=violations)


def _same(name: str, sent: Json, own: Json) -> bool:
    if sent is own or values.equal(sent, own):  # mostly it is the very one that was shown
        return True
    return name in TIMES and isinstance(sent, str) and isinstance(own, str) and _same_moment(sent, own)


def _same_moment(sent: str, own: str) -> bool:
    """Say whether both are one moment: typed clients read times as such, and write them as they like."""
    try:
        return parse_timestamp(sent) == parse_timestamp(own)
    except ValueError:
        return False


def touches_owned(operation: Operation) -> bool:
    """Say whether the operation is about the root or an owned member, so that it means nothing to the content alone."""
    return any(
        not (tokens := parse_pointer(operation[member])) or tokens[0] in OWNED
        for member in ("path", "from")
        if member in operation
    )
