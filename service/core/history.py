"""Patches as steps of a history: applied with their inverse at hand, inverted on their own, or summed up."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from service.core import values
from service.core.diff import diff
from service.core.operation import Operation, resolve
from service.core.options import DEFAULT, DiffOptions
from service.core.patch import apply
from service.core.pointer import format_pointer, parse_index, parse_pointer
from service.core.values import Json
from service.errors import NotExpressibleError


class Step(NamedTuple):
    """A document after a patch, and the patch that leads back."""

    document: Json
    inverse: list[Operation]


def apply_with_inverse(document: Json, operations: Iterable[Operation], **bounds: Any) -> Step:
    """Apply like `patch.apply`, in place, and give the inverse too.

    The inverse applied to the result gives the document that was there before, whatever the patch was (the order of
    members aside). It shares no part with the result.

    >>> apply_with_inverse({"a": 1}, [{"op": "replace", "path": "/a", "value": 2}])
    Step(document={'a': 2}, inverse=[{'op': 'replace', 'path': '/a', 'value': 1}])
    """
    undoing: list[Operation] = []

    def record(before: Json, operation: Operation) -> None:
        undoing.extend(reversed(_undo(before, operation)))

    document = apply(document, operations, observer=record, **bounds)
    return Step(document, undoing[::-1])


def invert(operations: list[Operation]) -> list[Operation]:
    """Invert a patch on its own: every `remove` and `replace` must follow a `test` of the same path.

    Such are the patches that are made with the option `invertible`. `NotExpressibleError` names the operation that
    cannot be undone; an `add` is taken to overwrite nothing, and not to append by `-`
    (else the inverse does not apply).

    >>> invert([{"op": "add", "path": "/a", "value": 1}])
    [{'op': 'test', 'path': '/a', 'value': 1}, {'op': 'remove', 'path': '/a'}]
    """
    undoing: list[list[Operation]] = []
    tested: Operation | None = None
    for index, operation in enumerate(operations):
        if tested is not None and (operation["path"] != tested["path"] or operation["op"] == "test"):
            undoing.append([tested])
            tested = None
        if operation["op"] == "test":
            tested = operation
            continue
        undoing.append(_inverse_of(operation, tested, index))
        tested = None
    if tested is not None:
        undoing.append([tested])
    return [operation for group in reversed(undoing) for operation in group]


def squash(before: Json, patches: Iterable[list[Operation]], options: DiffOptions = DEFAULT) -> list[Operation]:
    """Give one patch with the net effect of many, applied in turn to `before`, which is not changed.

    >>> squash([], [[{"op": "add", "path": "/0", "value": 1}], [{"op": "replace", "path": "/0", "value": 2}]])
    [{'op': 'add', 'path': '/0', 'value': 2}]
    """
    after = values.copy(before)
    for operations in patches:
        after = apply(after, operations)
    return diff(before, after, options)


def _undo(document: Json, operation: Operation) -> list[Operation]:
    """Give what undoes an operation that is about to be applied; nothing of worth if it is going to fail."""
    kind, path = operation["op"], operation["path"]
    if kind == "test":
        return []
    try:
        if kind == "move":
            return _undo_move(document, operation["from"], path)
        if kind in {"add", "copy"}:
            return _undo_add(document, path, path)
        old = resolve(document, path)
    except LookupError:
        return []
    return [{"op": "add" if kind == "remove" else "replace", "path": path, "value": old}]


def _undo_add(document: Json, path: str, path_now: str, leaving: int = 0) -> list[Operation]:
    """Undo the arrival of a value at `path`.

    `path_now` is where that place is before it arrives, `leaving` how many items leave the same array first.
    """
    if not path:
        return [{"op": "replace", "path": "", "value": document}]
    *parents, last = parse_pointer(path_now)
    parent = resolve(document, format_pointer(parents))
    if isinstance(parent, dict) and last in parent:
        return [{"op": "replace", "path": path, "value": parent[last]}]
    if isinstance(parent, list) and last == "-":
        path = f"{path[:-2]}/{len(parent) - leaving}"
    return [{"op": "remove", "path": path}]


def _undo_move(document: Json, source: str, path: str) -> list[Operation]:
    if source == path:
        return []
    if source.startswith(path + "/"):
        # The value takes the place of what holds it: only the whole can be put back.
        return [{"op": "replace", "path": path, "value": values.copy(resolve(document, path))}]
    leaving = int(source.rpartition("/")[0] == path.rpartition("/")[0])
    path_now = _place_before_removal(document, source, path)
    (undone,) = _undo_add(document, path, path_now, leaving)
    back = {"op": "move", "from": undone["path"], "path": source}
    overwritten = [{"op": "add", "path": path_now, "value": undone["value"]}] if undone["op"] == "replace" else []
    return [back, *overwritten]


def _place_before_removal(document: Json, source: str, path: str) -> str:
    """Say where `path`, which counts without the value at `source`, is while that value still stands."""
    *parents, last = parse_pointer(source)
    tokens = list(parse_pointer(path))
    index = parse_index(last)
    goes_through = len(tokens) > len(parents) + 1 and tokens[: len(parents)] == parents
    if goes_through and index is not None and isinstance(resolve(document, format_pointer(parents)), list):
        step = parse_index(tokens[len(parents)])
        if step is not None and step >= index:
            tokens[len(parents)] = str(step + 1)
    return format_pointer(tokens)


def _inverse_of(operation: Operation, tested: Operation | None, index: int) -> list[Operation]:
    kind, path = operation["op"], operation["path"]
    if kind == "move":
        inverse = [{"op": "move", "from": path, "path": operation["from"]}]
        return inverse if tested is None else [*inverse, tested]
    if kind == "remove" and tested:
        return [{"op": "add", "path": path, "value": tested["value"]}]
    if kind == "replace" and tested:
        arrived = {"op": "test", "path": path, "value": operation["value"]}
        return [arrived, {"op": "replace", "path": path, "value": tested["value"]}]
    if kind == "add" and tested is None and path:
        return [{"op": "test", "path": path, "value": operation["value"]}, {"op": "remove", "path": path}]
    if kind == "copy" and tested is None and path:
        return [{"op": "remove", "path": path}]
    raise NotExpressibleError(
        f"Operation {index} ({kind}) cannot be undone on its own: what was there before is not known.",
        index=index,
        op=kind,
        path=path,
    )
