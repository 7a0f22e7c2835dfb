"""JSON Merge Patch (RFC 7396): apply one, and make one from two documents."""

from collections.abc import Iterator

from service.core import values
from service.core.pointer import format_pointer, shown
from service.core.values import Json
from service.errors import NotExpressibleError, Violation

Path = tuple[str, ...]


def apply_merge(document: Json, patch: Json) -> Json:
    """Apply a merge patch in place and give the result; the patch is neither changed nor shared.

    >>> apply_merge({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, dict):
        return values.copy(patch)
    if not isinstance(document, dict):
        document = {}
    for name, value in patch.items():
        if value is None:
            document.pop(name, None)
        else:
            document[name] = apply_merge(document.get(name), value)
    return document


def create_merge(before: Json, after: Json) -> Json:
    """Give the smallest merge patch that turns `before` into `after`; for equal objects `{}`.

    A merge patch cannot set a member to `null`: `NotExpressibleError` has one violation for each pointer where
    that would be needed.

    >>> create_merge({"a": 1, "b": 2}, {"a": 1, "c": [None]})
    {'b': None, 'c': [None]}
    """
    violations = tuple(
        Violation(
            code=NotExpressibleError.code,
            detail=f"The member at {shown(format_pointer(path))} becomes null, which a merge patch reads as removed.",
            pointer=format_pointer(path),
        )
        for path in _unsayable(before, after, ())
    )
    if violations:
        detail = "A merge patch (RFC 7396) cannot say this change: a member becomes null. Ask for a JSON Patch instead."
        raise NotExpressibleError(detail, violations=violations)
    return _create(before, after)


def _create(before: Json, after: Json) -> Json:
    if not isinstance(after, dict) or not isinstance(before, dict):
        return after
    patch: dict[str, Json] = {name: None for name in before if name not in after}
    for name, value in after.items():
        if name not in before:
            patch[name] = value
        elif isinstance(value, dict) and isinstance(before[name], dict):
            if nested := _create(before[name], value):
                patch[name] = nested
        elif not values.equal(before[name], value):
            patch[name] = value
    return patch


def _unsayable(before: Json, after: Json, path: Path) -> Iterator[Path]:
    """Yield where a member would have to become null."""
    if not isinstance(after, dict):
        return
    known = before if isinstance(before, dict) else {}
    for name, value in after.items():
        if value is None:
            if name not in known or known[name] is not None:
                yield (*path, name)
        else:
            yield from _unsayable(known.get(name), value, (*path, name))
