"""One operation of a JSON Patch on one document, in place.

The operations are those of `jsonpatch`, with classes and pointers of our own where it copies slowly, shows documents
in its messages, or compares otherwise than `values.equal`.
"""

from typing import Any, TypeAlias

import jsonpatch
import jsonpointer
import msgspec

from service.core import pointer, values
from service.core.values import Json
from service.errors import PathNotAllowedError, PathNotFoundError, TestFailedError

Operation: TypeAlias = dict[str, Any]

_MAX_SHOWN_BYTES = 4096


def resolve(document: Json, path: str) -> Json:
    """Give the value at a pointer; `LookupError` if nothing is there."""
    try:
        return _Place(path).resolve(document)
    except jsonpointer.JsonPointerException as exc:
        raise LookupError(path) from exc


def apply_operation(document: Json, operation: Operation, index: int) -> Json:
    """Apply one checked operation in place and give the document; `index` is its place in the patch.

    Raises `TestFailedError`, `PathNotFoundError`, `PathNotAllowedError`.
    """
    kind = operation["op"]
    if kind == "test":
        _test(document, operation, index)
        return document
    if kind == "remove" and not operation["path"]:
        detail = f"Operation {index}: the whole document cannot be removed, only replaced."
        raise PathNotAllowedError(detail, index=index, op=kind, path="")
    if kind == "copy":
        operation = {"op": kind, "path": operation["path"], "value": find_source(document, operation, index)}
    elif kind == "move":
        find_source(document, operation, index)
    try:
        return _CLASSES[kind](operation, pointer_cls=_Place).apply(document)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as exc:
        raise _not_found(document, operation, "path", index) from exc


def _test(document: Json, operation: Operation, index: int) -> None:
    place = {"index": index, "op": "test", "path": operation["path"], "expected": _shown(operation["value"])}
    where = pointer.shown(operation["path"])
    try:
        actual = resolve(document, operation["path"])
    except LookupError as exc:
        raise TestFailedError(f"Operation {index}: nothing is at {where}.", **place) from exc
    if not values.equal(actual, operation["value"]):
        detail = f"Operation {index}: another value is at {where}."
        raise TestFailedError(detail, actual=_shown(actual), **place)


def find_source(document: Json, operation: Operation, index: int) -> Json:
    """Give the value that `copy` or `move` is about; `PathNotFoundError` if nothing is there."""
    try:
        return resolve(document, operation["from"])
    except LookupError as exc:
        raise _not_found(document, operation, "from", index) from exc


class _Place(jsonpointer.JsonPointer):
    """A pointer that is read by `core.pointer` and whose errors do not show the document."""

    def __init__(self, text: str) -> None:
        self.parts = list(pointer.parse_pointer(text))

    def walk(self, container: Json, part: str | int) -> Json:
        """Take one step (RFC 6901, section 4)."""
        if isinstance(container, dict) and part in container:
            return container[part]
        if isinstance(container, list):
            index = pointer.parse_index(str(part))
            if index is not None and index < len(container):
                return container[index]
        raise jsonpointer.JsonPointerException("nothing is there")


class _Add(jsonpatch.AddOperation):
    def apply(self, document: Json) -> Json:
        """Insert or set a copy of the value (RFC 6902, section 4.1)."""
        value = values.copy(self.operation["value"])
        container, last = self.pointer.to_last(document)
        if last is None:
            return value
        if isinstance(container, dict):
            container[last] = value
        elif last == "-":
            container.append(value)
        elif int(last) <= len(container):
            container.insert(int(last), value)
        else:
            raise jsonpatch.JsonPatchConflict("beyond the end of the array")
        return document


class _Replace(jsonpatch.ReplaceOperation):
    def apply(self, document: Json) -> Json:
        """Set a copy of the value where something is (RFC 6902, section 4.3)."""
        self.pointer.resolve(document)
        container, last = self.pointer.to_last(document)
        if last is None:
            return values.copy(self.operation["value"])
        container[last] = values.copy(self.operation["value"])
        return document


_CLASSES = {
    "add": _Add,
    "copy": _Add,
    "replace": _Replace,
    "remove": jsonpatch.RemoveOperation,
    "move": jsonpatch.MoveOperation,
}


def _not_found(document: Json, operation: Operation, member: str, index: int) -> PathNotFoundError:
    """Say which part of the way exists, without showing the document."""
    place = _Place(operation[member])
    value, steps = document, 0
    for part in place.parts:
        try:
            value = place.walk(value, part)
        except jsonpointer.JsonPointerException:
            break
        steps += 1
    kind = "an object" if isinstance(value, dict) else "a scalar"
    if isinstance(value, list):
        kind = f"an array of {len(value)}"
    where, reached = pointer.shown(operation[member]), pointer.shown(pointer.format_pointer(place.parts[:steps]))
    return PathNotFoundError(
        f"Operation {index} ({operation['op']}): {where} does not exist; {reached} is {kind}.",
        index=index,
        op=operation["op"],
        path=operation[member],
    )


def _shown(value: Json) -> Any:
    return value if len(values.encode(value)) <= _MAX_SHOWN_BYTES else msgspec.UNSET
