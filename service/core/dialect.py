"""The plain dialect: patches with paths like `name` and `phone/1`, read as JSON Patch (RFC 6902) operations.

It reaches a first-level member, or one item of a first-level array by index, `-` or the item's `id`; no deeper.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from service.core import pointer
from service.core.item_ids import ItemIds
from service.core.operation import Operation
from service.core.patch import check_patch
from service.core.values import Json
from service.errors import InvalidPatchError, PathNotAllowedError, PathNotFoundError, Violation

_OPS = ("add", "remove", "replace")


def check_plain(patch: Json, *, max_operations: int | None = None) -> list[Operation]:
    """Give the operations with their paths as JSON Pointers; item ids in them are not resolved yet.

    Raises what `check_patch` raises, `PathNotAllowedError` naming every path beyond the dialect's reach.

    >>> check_plain([{"op": "remove", "path": "phone/1"}])
    [{'op': 'remove', 'path': '/phone/1'}]
    """
    if isinstance(patch, dict):
        raise InvalidPatchError(
            "Under application/json a patch is an array of operations. "
            "Send an object as application/merge-patch+json (RFC 7396)."
        )
    if not isinstance(patch, list):
        raise InvalidPatchError("A patch is an array of operations with `op`, `path` and `value`.")
    faults = {index: fault for index, each in enumerate(patch) if (fault := _fault_of_op(each, index))}
    try:
        operations = check_patch([_with_pointer(each) for each in patch], max_operations=max_operations)
    except InvalidPatchError as error:
        faults = {each.index: each for each in error.violations if isinstance(each.index, int)} | faults
    if faults:
        violations = tuple(faults[index] for index in sorted(faults))
        raise InvalidPatchError(violations[0].detail, violations=violations)
    beyond = tuple(fault for index, each in enumerate(operations) if (fault := _fault_of_path(each, index)))
    if beyond:
        raise PathNotAllowedError(beyond[0].detail, violations=beyond)
    return operations


def resolve_items(document: dict[str, Json], operations: Iterable[Operation]) -> Iterator[Operation]:
    """Yield the operations with item ids replaced by indexes, each against the document as it is when its turn comes.

    Raises `PathNotFoundError` where no item has the id, `PathNotAllowedError` where the path leads into an object or
    two items share the id.

    >>> list(resolve_items({"phone": [{"id": "a"}, {"id": "b"}]}, [{"op": "remove", "path": "/phone/b"}]))
    [{'op': 'remove', 'path': '/phone/1'}]
    """
    known: dict[str, ItemIds] = {}
    for index, operation in enumerate(operations):
        name, *steps = pointer.parse_pointer(operation["path"])
        if not steps:
            yield operation
            known.pop(name, None)
            continue
        step = steps[0]
        items = _items_at(document.get(name), operation, index)
        place: str | int = step
        if step != "-" and not pointer.is_index(step):
            if name not in known:
                known[name] = ItemIds(items)
            place = _find(known[name], step, operation, index)
        yield {**operation, "path": pointer.format_pointer((name, place))}
        if name in known:
            known[name].follow(operation, place)


def _with_pointer(operation: Json) -> Json:
    path = operation.get("path") if isinstance(operation, dict) else None
    return operation if not isinstance(path, str) or path.startswith("/") else {**operation, "path": f"/{path}"}


def _fault_of_op(operation: Json, index: int) -> Violation | None:
    """Say what the dialect refuses beyond what `check_patch` does."""
    if not isinstance(operation, dict) or "op" not in operation or operation["op"] in _OPS:
        return None
    kind = operation["op"]
    if kind in ("move", "copy", "test"):
        detail = f"Operation {index}: '{kind}' is not of the plain dialect; send application/json-patch+json for it."
    else:
        detail = f"Operation {index}: the member 'op' must be one of {', '.join(_OPS)}."
    return Violation(code=InvalidPatchError.code, detail=detail, index=index)


def _fault_of_path(operation: Operation, index: int) -> Violation | None:
    tokens = pointer.parse_pointer(operation["path"])
    if tokens != ("",) and len(tokens) < 3:
        return None
    shown = pointer.shown(operation["path"].removeprefix("/"))
    if len(tokens) < 3:
        detail = f"Operation {index}: the path is empty; name a member, or replace the whole resource by PUT."
    else:
        detail = (
            f"Operation {index}: {shown} is deeper than a member or an item of its array; "
            "application/json-patch+json reaches any depth."
        )
    return Violation(
        code=PathNotAllowedError.code, detail=detail, index=index, op=operation["op"], path=operation["path"]
    )


def _facts(operation: Operation, index: int) -> dict[str, Any]:
    """Say which operation a refusal is about."""
    return {"index": index, "op": operation["op"], "path": operation["path"]}


def _items_at(member: Json, operation: Operation, index: int) -> list[Json]:
    """Give the array that the path leads into."""
    if isinstance(member, list):
        return member
    shown = pointer.shown(operation["path"].removeprefix("/"))
    if isinstance(member, dict):
        detail = (
            f"Operation {index}: {shown} leads into an object; the plain dialect reaches members and array items only. "
            "Send application/json-patch+json."
        )
        raise PathNotAllowedError(detail, **_facts(operation, index))
    detail = f"Operation {index}: {shown} does not exist; there is no such array."
    raise PathNotFoundError(detail, **_facts(operation, index))


def _find(ids: ItemIds, item_id: str, operation: Operation, index: int) -> int:
    """Say where the item with the id is."""
    count = ids.count(item_id)
    if count == 1:
        return ids.find(item_id)
    shown = pointer.shown(operation["path"].removeprefix("/"))
    if count == 0:
        detail = f"Operation {index}: {shown} does not exist; no item of the array has this id."
        raise PathNotFoundError(detail, **_facts(operation, index))
    detail = f"Operation {index}: {count} items have the id of {shown}; name the item by its index."
    raise PathNotAllowedError(detail, **_facts(operation, index))
