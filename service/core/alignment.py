"""Which elements of two sequences correspond: pure alignment over hashable keys, with no idea of patches."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from rapidfuzz.distance import Indel

MAX_CELLS = 25_000_000


class Block(NamedTuple):
    """`length` elements that are equal, from `before` on in the one sequence and `after` on in the other."""

    before: int
    after: int
    length: int


def align(before: Sequence[Hashable], after: Sequence[Hashable]) -> list[Block]:
    """Give the equal runs of a long common subsequence, in order.

    >>> align("abcd", "abxd")
    [Block(before=0, after=0, length=2), Block(before=3, after=3, length=1)]
    """
    head, tail = _common_ends(before, after)
    blocks = [Block(0, 0, head)] if head else []
    before_end, after_end = len(before) - tail, len(after) - tail
    blocks.extend(
        Block(start + head, after_start + head, length)
        for start, after_start, length in _longest_common(before[head:before_end], after[head:after_end])
    )
    if tail:
        blocks.append(Block(before_end, after_end, tail))
    return blocks


def _common_ends(before: Sequence[Hashable], after: Sequence[Hashable]) -> tuple[int, int]:
    shorter = min(len(before), len(after))
    head = 0
    while head < shorter and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < shorter - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    return head, tail


def _longest_common(before: Sequence[Hashable], after: Sequence[Hashable]) -> list[Block]:
    if len(before) * len(after) > MAX_CELLS:
        return []
    codes: dict[Hashable, int] = {}
    left = [codes.setdefault(key, len(codes)) for key in before]
    right = [codes.setdefault(key, len(codes)) for key in after]
    return [
        Block(step.src_start, step.dest_start, step.src_end - step.src_start)
        for step in Indel.opcodes(left, right)
        if step.tag == "equal"
    ]
