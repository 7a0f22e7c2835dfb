"""Strings word by word: what two of them share, merged two and three ways."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from service.core.alignment import Block, align

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
MAX_TOKENS = 5_000
"""Strings of more words than this are compared whole."""


class Piece(NamedTuple):
    """A run of text: the same on both sides, or what each side has in its place (empty where nothing)."""

    before: str
    after: str

    @property
    def is_same(self) -> bool:
        """Whether both sides have it."""
        return self.before == self.after


def split(text: str) -> list[str]:
    """Cut a text into words, runs of space and single signs; joined they are the text."""
    return _TOKEN.findall(text)


def compare(before: str, after: str) -> list[Piece] | None:
    """Lay two strings side by side; None where they share no word or are too long.

    >>> [tuple(piece) for piece in compare("a b c", "a x c")]
    [('a ', 'a '), ('b', 'x'), (' c', ' c')]
    """
    left, right = split(before), split(after)
    blocks = _blocks(left, right)
    if not any(any(_is_word(token) for token in left[at : at + length]) for at, _, length in blocks):
        return None
    pieces = []
    i = j = 0
    for start, after_start, length in (*blocks, Block(len(left), len(right), 0)):
        if i < start or j < after_start:
            pieces.append(Piece("".join(left[i:start]), "".join(right[j:after_start])))
        i, j = start + length, after_start + length
        if length:
            same = "".join(left[start:i])
            pieces.append(Piece(same, same))
    return pieces


def merge(before: str, after: str, *, prefer_after: bool) -> str | None:
    """Keep the words of both; where both have something in the same place, that of the preferred side.

    >>> merge("John Joe Smith", "Mr John Smith", prefer_after=False)
    'Mr John Joe Smith'
    """
    pieces = compare(before, after)
    if pieces is None:
        return None
    return "".join((after or before) if prefer_after else (before or after) for before, after in pieces)


def merge_three(base: str, left: str, right: str) -> str | None:
    """Carry both edits of a text into one; None where they touch the same words.

    >>> merge_three("a b c", "x b c", "a b y")
    'x b y'
    """
    tokens = split(base)
    ours, theirs = _edits(tokens, split(left)), _edits(tokens, split(right))
    result: list[str] = []
    at, last = 0, -1
    for start, end, text in sorted({*ours, *theirs}):
        if start < at or start == last:
            return None
        result += [*tokens[at:start], text]
        at, last = end, start
    return "".join([*result, *tokens[at:]])


def _edits(base: list[str], edited: list[str]) -> list[tuple[int, int, str]]:
    """Give what stands in place of which tokens of the base, as (start, end, text)."""
    edits = []
    i = j = 0
    for start, after_start, length in (*_blocks(base, edited), Block(len(base), len(edited), 0)):
        if i < start or j < after_start:
            edits.append((i, start, "".join(edited[j:after_start])))
        i, j = start + length, after_start + length
    return edits


def _blocks(left: Sequence[str], right: Sequence[str]) -> list[Block]:
    return align(left, right).blocks if max(len(left), len(right)) <= MAX_TOKENS else []


def _is_word(token: str) -> bool:
    return token[0].isalnum() or token[0] == "_"
