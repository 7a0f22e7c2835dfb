"""A patch in the other forms it may be asked for: a merge patch, or a flat list of changes."""

from collections.abc import Callable

from service.core import changes, merge, patch, values

Form = Callable[[bytes, bytes, int], bytes]
"""(document, patch, depth of the document at most) to the patch in another form. Pure; large inputs take their time."""

_PATCH_DEPTH = 2
"""An operation stands in an array, and a value in an operation."""


def as_merge(before: bytes, operations: bytes, max_depth: int) -> bytes:
    """Say the patch as a merge patch (RFC 7396); raise `NotExpressibleError` where a member becomes null."""
    document = values.decode(before, max_depth=max_depth)
    after = patch.apply(values.copy(document), values.decode(operations, max_depth=max_depth + _PATCH_DEPTH))
    return values.encode(merge.create_merge(document, after))


def as_changes(before: bytes, operations: bytes, max_depth: int) -> bytes:
    """Say the patch as a list of changes, each with the value before and after."""
    document = values.decode(before, max_depth=max_depth)
    return values.encode(changes.list_changes(document, values.decode(operations, max_depth=max_depth + _PATCH_DEPTH)))
