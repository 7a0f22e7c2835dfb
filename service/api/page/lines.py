"""A delta as lines of two documents, side by side: what stands next to what, and which characters changed."""

import json
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Literal, NamedTuple

from msgspec import UNSET

from service.core import delta
from service.core.values import Json

Kind = Literal["same", "removed", "added", "changed"]
Text = list[tuple[str, bool]]
"""Pieces of a line; the flag marks what changed in it."""

MAX_ROWS = 200_000
MAX_CHARACTERS = 4_000
"""A longer string is cut in the page."""

_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f\u2060-\u206f\u2800"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters that would not show, or would change the order in which others show."""


class Row(NamedTuple):
    """A line of A beside a line of B; None where a side has none."""

    kind: Kind
    before: Text | None
    after: Text | None


class Laid(NamedTuple):
    """All rows; `is_cut` says that there are more than a page takes."""

    rows: list[Row]
    is_cut: bool


def lay_out(content: Json) -> Laid:
    """Write a delta of full context as rows.

    >>> [(row.kind, row.before, row.after) for row in lay_out({"dx_delta": {"A": 1, "B": 2}}).rows]
    [('changed', [('1', True)], [('2', True)])]
    """
    layout = _Layout()
    layout.value(content, 0, "", ("", ""))
    return Laid(layout.rows[:MAX_ROWS], len(layout.rows) > MAX_ROWS)


class _Layout:
    """Rows under way. `label` is what stands before a value, `ends` the commas behind it on either side."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def value(self, content: Json, depth: int, label: str, ends: tuple[str, str]) -> None:
        if len(self.rows) > MAX_ROWS:
            return
        if delta.is_change(content):
            self._change(content, depth, label, ends)
            return
        kind = type(content)
        if (kind is dict or kind is list) and content:
            self._container(content, depth, label, ends)
        else:
            self._same(depth, f"{label}{show(content)}", ends)

    def _container(self, content: Json, depth: int, label: str, ends: tuple[str, str]) -> None:
        brackets = "{}" if type(content) is dict else "[]"
        members = list(content.items()) if type(content) is dict else [(None, item) for item in content]
        last_before, last_after = _last(members, 0), _last(members, 1)
        self._same(depth, label + brackets[0], ("", ""))
        for index, (name, member) in enumerate(members):
            inner = "" if name is None else f"{show(name)}: "
            commas = "," if index < last_before else "", "," if index < last_after else ""
            self.value(member, depth + 1, inner, commas)
        self._same(depth, brackets[1], ends)

    def _same(self, depth: int, text: str, ends: tuple[str, str]) -> None:
        line = "  " * depth + text
        self.rows.append(Row("same", [(line + ends[0], False)], [(line + ends[1], False)]))

    def _change(self, mark: Json, depth: int, label: str, ends: tuple[str, str]) -> None:
        start = "  " * depth + label
        if delta.STRING in mark:
            before, after = (_pieces(mark[delta.STRING], side) for side in ("A", "B"))
            self.rows.append(
                Row(
                    "changed",
                    [(f'{start}"', False), *before, (f'"{ends[0]}', False)],
                    [(f'{start}"', False), *after, (f'"{ends[1]}', False)],
                )
            )
            return
        before_value, after_value = delta.sides(mark)
        kind: Kind = "added" if before_value is UNSET else "removed" if after_value is UNSET else "changed"
        lines = zip_longest(_written(before_value, start, ends[0]), _written(after_value, start, ends[1]))
        for before_line, after_line in lines:
            if len(self.rows) > MAX_ROWS:
                return
            self.rows.append(Row(kind, before_line, after_line))


def show(value: Json) -> str:
    """Write a scalar, a name or an empty container as JSON, so that every character of it shows."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > MAX_CHARACTERS:
        text = f"{text[:MAX_CHARACTERS]}… ({len(text) - MAX_CHARACTERS} more characters)"
    return _visible(text)


def _visible(text: str) -> str:
    return _INVISIBLE.sub(lambda match: json.dumps(match[0])[1:-1], text)


def _last(members: list[tuple[Any, Json]], side: int) -> int:
    """Give the index of the last member that a side has."""
    return next(
        (
            index
            for index in range(len(members) - 1, -1, -1)
            if not delta.is_change(members[index][1]) or delta.sides(members[index][1])[side] is not UNSET
        ),
        -1,
    )


def _pieces(pieces: list[Json], side: delta.Side) -> Text:
    """Write the pieces of a changed string as a side has them."""
    shown = [(piece, False) if isinstance(piece, str) else (piece[delta.DELTA].get(side, ""), True) for piece in pieces]
    return [(show(text)[1:-1] if len(text) <= MAX_CHARACTERS else show(text), marked) for text, marked in shown if text]


def _written(value: Any, start: str, end: str) -> Iterator[Text]:
    """Write a plain value on as many lines as it takes; the label of the first is no part of what changed."""
    if value is UNSET:
        return
    indent = len(start) - len(start.lstrip(" "))
    label = start[indent:]
    lines = _lines(value)
    for index, (depth, text) in enumerate(lines):
        is_last = index == len(lines) - 1
        head = " " * indent + (label if index == 0 else "  " * depth)
        pieces = [(head, False), (text, True), (end if is_last else "", False)]
        yield [piece for piece in pieces if piece[0]]


def _lines(value: Json) -> list[tuple[int, str]]:
    """Write a value as (depth, text) pairs."""
    lines: list[tuple[int, str]] = []
    _write(value, 0, "", "", lines)
    return lines


def _write(value: Json, depth: int, label: str, end: str, lines: list[tuple[int, str]]) -> None:
    kind = type(value)
    if (kind is not dict and kind is not list) or not value or len(lines) > MAX_ROWS:
        lines.append((depth, f"{label}{show(value)}{end}"))
        return
    brackets = "{}" if kind is dict else "[]"
    lines.append((depth, label + brackets[0]))
    members = value.items() if kind is dict else ((None, item) for item in value)
    for index, (name, member) in enumerate(members):
        inner = "" if name is None else f"{show(name)}: "
        _write(member, depth + 1, inner, "," if index < len(value) - 1 else "", lines)
    lines.append((depth, f"{brackets[1]}{end}"))
