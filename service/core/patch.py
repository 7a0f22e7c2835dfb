"""JSON Patch (RFC 6902): check a patch, and apply it in place on a document that nobody else holds."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from service.core import pointer, values
from service.core.operation import Operation, apply_operation, find_source
from service.core.values import Json
from service.errors import (
    InvalidPatchError,
    ResultTooLargeError,
    TooDeepError,
    TooLargeError,
    Violation,
)

_MEMBERS = {
    "add": ("path", "value"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "move": ("from", "path"),
    "copy": ("from", "path"),
    "test": ("path", "value"),
}
_CARRYING = ("move", "copy")
"""Operations that put a container somewhere without naming it."""
Observer: TypeAlias = Callable[[Json, Operation], None]


def check_patch(patch: Json, *, max_operations: int | None = None) -> list[Operation]:
    """Give the decoded patch back as a list of operations; unknown members are let be (RFC 6902, section 4).

    Raises `InvalidPatchError` with one violation for each operation at fault, `TooLargeError`.

    >>> check_patch([{"op": "remove", "path": "/a"}])
    [{'op': 'remove', 'path': '/a'}]
    """
    if not isinstance(patch, list):
        raise InvalidPatchError("A JSON Patch is an array of operations (RFC 6902).")
    if max_operations is not None and len(patch) > max_operations:
        raise TooLargeError(
            f"The patch has {len(patch)} operations; at most {max_operations} are taken.",
            limit="max_operations",
            maximum=max_operations,
        )
    violations = tuple(
        Violation(code=InvalidPatchError.code, detail=f"Operation {index}: {fault}.", index=index)
        for index, operation in enumerate(patch)
        if (fault := _fault_of(operation))
    )
    if violations:
        raise InvalidPatchError(violations[0].detail, violations=violations)
    return patch


def apply(
    document: Json,
    operations: Iterable[Operation],
    *,
    max_depth: int = 200,
    max_copied_bytes: int | None = None,
    observer: Observer | None = None,
) -> Json:
    """Apply checked operations in place and give the result, which is another object if the root was replaced.

    The document is left half changed when an operation fails; the operations are never changed. `observer` is
    shown the document before each operation.
    Raises `TestFailedError`, `PathNotFoundError`, `PathNotAllowedError` (the root removed), `TooDeepError`,
    `ResultTooLargeError` when what `copy` adds comes to more than `max_copied_bytes`.

    >>> apply({"a": [1, 2]}, [{"op": "move", "from": "/a/0", "path": "/b"}])
    {'a': [2], 'b': 1}
    """
    copied_bytes = 0
    may_deepen = False
    for index, operation in enumerate(operations):
        may_deepen = may_deepen or operation["op"] in _CARRYING or isinstance(operation.get("value"), dict | list)
        try:
            if observer:
                observer(document, operation)
            if operation["op"] == "copy":
                copied_bytes += len(values.encode(find_source(document, operation, index)))
                _check_growth(copied_bytes, max_copied_bytes, index)
            document = apply_operation(document, operation, index)
        except RecursionError as exc:
            raise _too_deep(max_depth, index=index) from exc
    if may_deepen and values.is_deeper(document, max_depth):
        raise _too_deep(max_depth)
    return document


def _fault_of(operation: Json) -> str | None:
    """Say what is wrong with an operation, None if nothing is."""
    if not isinstance(operation, dict):
        return "an operation is an object"
    kind = operation.get("op")
    if not isinstance(kind, str) or kind not in _MEMBERS:
        known = ", ".join(_MEMBERS)
        return f"the member 'op' must be one of {known}" if "op" in operation else "the member 'op' is missing"
    for member in _MEMBERS[kind]:
        if member not in operation:
            return f"'{kind}' needs the member '{member}'"
        if member != "value" and (fault := _fault_of_pointer(operation[member])):
            return f"the member '{member}' {fault}"
    if kind == "move" and operation["path"].startswith(operation["from"] + "/"):
        return f"{pointer.shown(operation['from'])} cannot be moved into itself"
    return None


def _fault_of_pointer(text: Json) -> str | None:
    if not isinstance(text, str):
        return "must be a string"
    try:
        pointer.parse_pointer(text)
    except ValueError as exc:
        return f"is not a JSON Pointer: {str(exc).rstrip('.')}"
    return None


def _check_growth(copied_bytes: int, max_copied_bytes: int | None, index: int) -> None:
    if max_copied_bytes is not None and copied_bytes > max_copied_bytes:
        raise ResultTooLargeError(
            f"Operation {index}: the patch copies more than {max_copied_bytes} bytes.",
            index=index,
            limit="max_copied_bytes",
            maximum=max_copied_bytes,
        )


def _too_deep(max_depth: int, **facts: Any) -> TooDeepError:
    detail = f"The patch nests the document deeper than {max_depth} levels."
    return TooDeepError(detail, limit="max_depth", maximum=max_depth, **facts)
