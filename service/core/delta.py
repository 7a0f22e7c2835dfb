"""The delta format: a document in which what changed stands as `{"dx_delta": {"A": …, "B": …}}` between what did not.

Only `A`: deleted; only `B`: added. A string changed by words is `{"dx_delta_string": ["same ", {"dx_delta": …}]}`.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from msgspec import UNSET

from service.core import pointer
from service.core.values import Json
from service.core.words import Piece
from service.errors import AmbiguousDocumentError, InvalidRequestError

Side = Literal["A", "B"]
DELTA, STRING, ENVELOPE = "dx_delta", "dx_delta_string", "dx_deltaJSON"
RESERVED = frozenset({DELTA, STRING, ENVELOPE})
Path = tuple[str | int, ...]


def change(before: Any = UNSET, after: Any = UNSET) -> Json:
    """Make the mark of a change; UNSET where a side has nothing.

    >>> change(1, 2), change(after=None)
    ({'dx_delta': {'A': 1, 'B': 2}}, {'dx_delta': {'B': None}})
    """
    return {DELTA: {side: value for side, value in (("A", before), ("B", after)) if value is not UNSET}}


def string_change(pieces: Sequence[Piece]) -> Json:
    """Make the mark of a string that changed in some of its words."""
    return {
        STRING: [
            piece.before if piece.is_same else change(piece.before or UNSET, piece.after or UNSET) for piece in pieces
        ]
    }


def is_change(value: Json) -> bool:
    """Say whether a value of a delta is the mark of a change."""
    return type(value) is dict and len(value) == 1 and (DELTA in value or STRING in value)


def sides(mark: Json) -> tuple[Any, Any]:
    """Give what each side has in the place of a mark, UNSET where it has nothing."""
    if STRING in mark:
        return _joined(mark[STRING], "A"), _joined(mark[STRING], "B")
    return mark[DELTA].get("A", UNSET), mark[DELTA].get("B", UNSET)


def rebuild(delta: Json, side: Side) -> Any:
    """Give the document of one side; UNSET where that side has nothing at all.

    Where arrays were compared without regard to order, B comes in the order of A.

    >>> rebuild({"n": {"dx_delta": {"A": 1, "B": 2}}, "m": [3, {"dx_delta": {"B": 4}}]}, "B")
    {'n': 2, 'm': [3, 4]}
    """
    return rewrite(delta, is_change, lambda mark: sides(mark)[side == "B"])


def rewrite(tree: Json, is_mark: Callable[[Json], bool], make: Callable[[Any], Any]) -> Any:
    """Copy the tree with what `make` gives in the place of every mark; nothing where that is UNSET."""
    if is_mark(tree):
        return make(tree)
    kind = type(tree)
    if kind is dict:
        members = {name: rewrite(member, is_mark, make) for name, member in tree.items()}
        return {name: member for name, member in members.items() if member is not UNSET}
    if kind is list:
        items = [rewrite(item, is_mark, make) for item in tree]
        return [item for item in items if item is not UNSET]
    return tree


def check_document(document: Json, name: str) -> None:
    """Refuse a document with members that the format reserves; `name` is that of the input.

    Raises `AmbiguousDocumentError` with the pointer of the first such member.
    """
    path = _find_reserved(document)
    if path is not None:
        where = pointer.format_pointer(path)
        raise AmbiguousDocumentError(
            f"The member {where!r} is one of those that the delta format reserves ({', '.join(sorted(RESERVED))}), so "
            "that the answer would read as another. Rename it, or use the route patch.",
            pointer=where,
        ).within(name)


def read_changeset(document: Json, name: str) -> Json:
    """Give the delta inside an envelope of full context.

    Raises `InvalidRequestError` for what is no delta, or a delta that lacks the unchanged parts.
    """
    envelope = document.get(ENVELOPE) if isinstance(document, dict) and len(document) == 1 else None
    if not isinstance(envelope, dict) or "dx_deltaJSON_delta" not in envelope:
        raise _refuse(
            f"It is not a delta: the answer of compare, an object with the one member '{ENVELOPE}'.", (), name
        )
    kind = envelope.get("dx_deltaJSON_type")
    if kind != "diff":
        raise _refuse(
            f"It is a delta of type {kind!r}; a changeset is one of type 'diff', made by compare with the output "
            "'fullContext'.",
            (ENVELOPE, "dx_deltaJSON_type"),
            name,
        )
    delta = envelope["dx_deltaJSON_delta"]
    _check_delta(delta, [ENVELOPE, "dx_deltaJSON_delta"], name)
    return delta


def _joined(pieces: list[Json], side: Side) -> str:
    return "".join(piece if isinstance(piece, str) else piece[DELTA].get(side, "") for piece in pieces)


def _find_reserved(document: Json) -> Path | None:
    waiting: list[tuple[Path, Json]] = [((), document)]
    while waiting:
        path, value = waiting.pop()
        if type(value) is dict:
            if not RESERVED.isdisjoint(value):
                return (*path, *[name for name in value if name in RESERVED][:1])
            waiting.extend(((*path, name), member) for name, member in value.items() if type(member) in {dict, list})
        elif type(value) is list:
            waiting.extend(((*path, i), item) for i, item in enumerate(value) if type(item) in {dict, list})
    return None


def _check_delta(delta: Json, path: list[str | int], name: str) -> None:
    """Refuse marks that are none: the form is strict, so that nothing is carried over that was not meant."""
    kind = type(delta)
    if kind is dict and not RESERVED.isdisjoint(delta):
        _check_mark(delta, path, name)
    elif kind is dict or kind is list:
        for token, value in delta.items() if kind is dict else enumerate(delta):
            path.append(token)
            _check_delta(value, path, name)
            path.pop()


def _check_mark(mark: dict[str, Json], path: list[str | int], name: str) -> None:
    if len(mark) > 1 or ENVELOPE in mark:
        raise _refuse(
            f"A change stands alone in its object: '{DELTA}' or '{STRING}' and nothing beside it.", path, name
        )
    if STRING in mark:
        pieces = mark[STRING]
        if not isinstance(pieces, list) or not all(isinstance(each, str) or _is_text_change(each) for each in pieces):
            raise _refuse(f"'{STRING}' is an array of strings and of '{DELTA}' objects that hold strings.", path, name)
        return
    if not _is_mark(mark):
        raise _refuse(f"'{DELTA}' is an object with A, B or both, and nothing else.", path, name)
    found = _find_reserved(list(mark[DELTA].values()))
    if found is not None:
        raise _refuse(f"What stands in '{DELTA}' is a plain value, without changes in it.", path, name)


def _is_mark(mark: Json) -> bool:
    inner = mark.get(DELTA) if isinstance(mark, dict) else None
    return isinstance(inner, dict) and bool(inner) and inner.keys() <= {"A", "B"}


def _is_text_change(piece: Json) -> bool:
    return _is_mark(piece) and len(piece) == 1 and all(isinstance(each, str) for each in piece[DELTA].values())


def _refuse(detail: str, path: Sequence[str | int], name: str) -> InvalidRequestError:
    return InvalidRequestError(detail, pointer=pointer.format_pointer(path)).within(name)
