"""Conflicts of a three-way merge as data: where two edits disagree, what each says, and how it is resolved."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from service.core import delta
from service.core.pointer import format_pointer
from service.core.values import Json
from service.errors import InvalidRequestError, Violation

Kind = Literal["modify/modify", "modify/delete", "delete/modify", "add/add"]
"""What edit1 did and what edit2 did."""

Choice = Literal["edit1", "edit2", "base"]


class Conflict(msgspec.Struct, frozen=True, eq=False):
    """Stands in a merged tree where the edits disagree; UNSET where a document has nothing."""

    kind: Kind
    base: Any = UNSET
    edit1: Any = UNSET
    edit2: Any = UNSET

    def chosen(self, choice: Choice) -> Any:
        """Give what one document has in this place."""
        return getattr(self, choice)


class ShownConflict(msgspec.Struct, frozen=True):
    """A conflict as it is told; `path` counts in the delta, where every conflict takes one place."""

    path: str
    kind: Kind
    base: Any = UNSET
    edit1: Any = UNSET
    edit2: Any = UNSET


def list_conflicts(tree: Json) -> list[ShownConflict]:
    """Give all conflicts of a merged tree, in its order."""
    return [
        ShownConflict(format_pointer(path), each.kind, each.base, each.edit1, each.edit2)
        for path, each in _conflicts(tree, ())
    ]


def show(tree: Json) -> Json:
    """Make a delta of a merged tree: each conflict a change from edit1 to edit2.

    >>> show({"x": Conflict("modify/delete", base=1, edit1=2)})
    {'x': {'dx_delta': {'A': 2}}}
    """
    return delta.rewrite(tree, _is_conflict, lambda each: delta.change(each.edit1, each.edit2))


def resolve(tree: Json, choice: Choice) -> Any:
    """Give the document in which every conflict goes one way; UNSET where that document is deleted as a whole."""
    return delta.rewrite(tree, _is_conflict, lambda each: each.chosen(choice))


def settle(tree: Json, resolutions: Mapping[str, Choice]) -> Json:
    """Resolve the conflicts at the given paths and leave the others. Resolved away, a conflict leaves no place.

    Raises `InvalidRequestError` for a path without a conflict.
    """
    found = {format_pointer(path): each for path, each in _conflicts(tree, ())}
    strays = [path for path in resolutions if path not in found]
    if strays:
        raise _refuse_strays(strays, found)
    chosen = {id(found[path]): choice for path, choice in resolutions.items()}
    return delta.rewrite(tree, _is_conflict, lambda each: each.chosen(chosen[id(each)]) if id(each) in chosen else each)


def _refuse_strays(strays: list[str], known: Iterable[str]) -> InvalidRequestError:
    paths = ", ".join(repr(path) for path in list(known)[:10]) or "none"
    return InvalidRequestError(
        f"There is no conflict at {', '.join(map(repr, strays[:10]))}; conflicts are at: {paths}.",
        violations=tuple(
            Violation(
                code=InvalidRequestError.code, detail=f"no conflict at {path!r}", field="resolutions", pointer=path
            )
            for path in strays[:100]
        ),
    )


def _conflicts(tree: Json, path: delta.Path) -> Iterator[tuple[delta.Path, Conflict]]:
    kind = type(tree)
    if kind is Conflict:
        yield path, tree
    elif kind is dict:
        for name, member in tree.items():
            yield from _conflicts(member, (*path, name))
    elif kind is list:
        for index, item in enumerate(tree):
            yield from _conflicts(item, (*path, index))


def _is_conflict(part: Any) -> bool:
    return type(part) is Conflict
