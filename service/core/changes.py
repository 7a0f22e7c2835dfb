"""A patch as a flat list of changes, each with the value before and after: for people and for audit."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import UNSET

from service.core import values
from service.core.operation import Operation, resolve
from service.core.patch import apply
from service.core.pointer import format_pointer, parse_pointer
from service.core.values import Json


class Change(msgspec.Struct, frozen=True, rename={"source": "from"}, omit_defaults=True):
    """What one operation does; `before` is absent where nothing was, `after` where nothing is left."""

    path: str
    op: str
    source: str | msgspec.UnsetType = UNSET
    before: Any = UNSET
    after: Any = UNSET


def list_changes(document: Json, operations: list[Operation]) -> list[Change]:
    """Give the changes that the operations make, in their order; paths count as in the patch. `test` changes nothing.

    The document is used up: it is the result afterwards, unless the root was replaced.

    >>> list_changes({"a": 1}, [{"op": "replace", "path": "/a", "value": 2}])
    [Change(path='/a', op='replace', source=UNSET, before=1, after=2)]
    """
    changes: list[Change] = []

    def record(before: Json, operation: Operation) -> None:
        # What has no source or target is for `apply` to refuse.
        with suppress(LookupError):
            changes.extend(_changes(before, operation))

    apply(document, operations, observer=record)
    return changes


def _changes(document: Json, operation: Operation) -> Iterator[Change]:
    kind, path = operation["op"], operation["path"]
    if kind in {"move", "copy"}:
        arriving = values.copy(resolve(document, operation["from"]))
        yield Change(path, kind, source=operation["from"], before=_overwritten(document, path), after=arriving)
    elif kind == "add":
        yield Change(path, kind, before=_overwritten(document, path), after=operation["value"])
    elif kind != "test":
        yield Change(path, kind, before=values.copy(resolve(document, path)), after=operation.get("value", UNSET))


def _overwritten(document: Json, path: str) -> Any:
    """Give the member that an arriving value takes the place of; in an array none gives way."""
    if not path:
        return values.copy(document)
    *parents, last = parse_pointer(path)
    container = resolve(document, format_pointer(parents))
    return values.copy(container[last]) if isinstance(container, dict) and last in container else UNSET
