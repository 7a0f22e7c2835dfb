"""Which elements of two sequences correspond: pure alignment over hashable keys, with no idea of JSON or patches.

Work is linear in the elements: what a bounded longest common subsequence cannot take in one piece is cut at places
that agree, and what cannot be cut is matched by position.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import compress, count
from operator import eq, lt, ne
from typing import NamedTuple

from rapidfuzz.distance import Indel

MAX_CELLS = 25_000_000
"""Up to so many pairs of elements a longest common subsequence is found exactly: about 10 ms."""

_SMALL_CELLS = 4096
_MAX_CODES = 1_000_000  # of the 1,114,112 characters there are
_ONLY_BEFORE, _ONLY_AFTER = "\0", "\1"
_AGREEING = 12
_MAX_EDITS = 64
_GRAM = 8
_MAX_LEVELS = 8


class Block(NamedTuple):
    """`length` elements that are equal, from `before` on in the one sequence and `after` on in the other."""

    before: int
    after: int
    length: int


class Alignment(NamedTuple):
    """Equal runs in order, the longest common subsequence unless `bounded`."""

    blocks: list[Block]
    bounded: bool


def align(before: Sequence[Hashable], after: Sequence[Hashable]) -> Alignment:
    """Give the equal runs of a long common subsequence.

    >>> align("abcd", "abxd").blocks
    [Block(before=0, after=0, length=2), Block(before=3, after=3, length=1)]
    """
    left, right = _codes(before, after)
    if len(left) * len(right) <= _SMALL_CELLS:
        return Alignment(_longest_common(left, right), bounded=False)
    blocks: list[Block] = []
    bounded = False
    waiting = [(0, len(left), 0, len(right), 0)]
    while waiting:
        start, end, other, other_end, level = waiting.pop()
        head = _agreement(left, right, start, other, min(end - start, other_end - other))
        blocks.append(Block(start, other, head))
        start, other = start + head, other + head
        tail = _agreement_before(left, right, end, other_end, min(end - start, other_end - other))
        end, other_end = end - tail, other_end - tail
        blocks.append(Block(end, other_end, tail))
        found = _match(left[start:end], right[other:other_end], level)
        bounded = bounded or found.bounded
        inner = [Block(block.before + start, block.after + other, block.length) for block in found.blocks]
        blocks.extend(inner)
        if found.has_gaps:
            waiting.extend((*gap, level + 1) for gap in gaps(inner, (start, end), (other, other_end)))
    return Alignment(_joined(sorted(block for block in blocks if block.length)), bounded)


def gaps(
    blocks: Iterable[Block], before: tuple[int, int], after: tuple[int, int]
) -> Iterable[tuple[int, int, int, int]]:
    """Yield start and end on both sides of what lies between the blocks, where something does on both.

    >>> list(gaps([Block(1, 1, 2)], (0, 4), (0, 5)))
    [(0, 1, 0, 1), (3, 4, 3, 5)]
    """
    start, other = before[0], after[0]
    for block in [*blocks, Block(before[1], after[1], 0)]:
        if block.before > start and block.after > other:
            yield start, block.before, other, block.after
        start, other = block.before + block.length, block.after + block.length


def rising(values: Sequence[int]) -> list[int]:
    """Give the places of a longest strictly rising subsequence.

    >>> rising([3, 1, 2, 5, 4])
    [1, 2, 4]
    """
    if all(map(lt, values, values[1:])):
        return list(range(len(values)))
    lasts: list[int] = []
    places: list[int] = []
    previous: list[int] = []
    for place, value in enumerate(values):
        length = bisect_left(lasts, value)
        previous.append(places[length - 1] if length else -1)
        if length == len(lasts):
            lasts.append(value)
            places.append(place)
        else:
            lasts[length] = value
            places[length] = place
    chain = []
    place = places[-1] if places else -1
    while place >= 0:
        chain.append(place)
        place = previous[place]
    return chain[::-1]


class _Match(NamedTuple):
    """What was found in a stretch, and whether the gaps between are worth another look."""

    blocks: list[Block]
    has_gaps: bool = False
    bounded: bool = False


def _match(left: str, right: str, level: int) -> _Match:
    """Match two stretches that neither begin nor end alike."""
    if not left or not right:
        return _Match([])
    if len(left) * len(right) <= MAX_CELLS:
        return _Match(_longest_common(left, right))
    if level == 0 and (blocks := _resynchronised(left, right)) is not None:
        return _Match(blocks)
    if level < _MAX_LEVELS:
        for length in (1, _GRAM):
            if blocks := _anchored(left, right, length):
                return _Match(blocks, has_gaps=True)
    if set(left).isdisjoint(right):
        return _Match([])
    places = list(compress(count(), map(eq, left, right)))
    return _Match([Block(place, place, 1) for place in places], bounded=True)


def _longest_common(left: str, right: str) -> list[Block]:
    return [Block(run.a, run.b, run.size) for run in Indel.opcodes(left, right).as_matching_blocks() if run.size]


def _resynchronised(left: str, right: str) -> list[Block] | None:
    """Follow two stretches with few edits: after each the nearest place where a dozen elements agree.

    None if there is no such place near an edit.
    """
    blocks = []
    start = other = 0
    tries = 4 * (len(left) + len(right))
    while start < len(left) and other < len(right):
        run = _agreement(left, right, start, other, min(len(left) - start, len(right) - other))
        if run:
            blocks.append(Block(start, other, run))
        start, other = start + run, other + run
        for tried, (skipped, other_skipped) in enumerate(_STEPS):
            there = left[start + skipped : start + skipped + _AGREEING]
            if len(there) == _AGREEING and right.startswith(there, other + other_skipped):
                start, other, tries = start + skipped, other + other_skipped, tries - tried
                break
        else:
            return blocks if len(left) - start <= _MAX_EDITS and len(right) - other <= _MAX_EDITS else None
        if tries < 0:
            return None
    return blocks


_STEPS = sorted(
    ((left, edits - left) for edits in range(1, _MAX_EDITS + 1) for left in range(edits + 1)),
    key=lambda step: (sum(step), abs(step[0] - step[1])),
)


def _anchored(left: str, right: str, length: int) -> list[Block]:
    """Give a rising chain of runs around elements (or grams of `length`) that are unique on both sides."""
    places, other_places = _unique(left, length), _unique(right, length)
    common = [(place, other_places[gram]) for gram, place in places.items() if gram in other_places]
    blocks: list[Block] = []
    start = other = 0
    for index in rising([there for _, there in common]):
        place, there = common[index]
        if place < start or there < other:
            continue
        back = _agreement_before(left, right, place, there, min(place - start, there - other))
        ahead = _agreement(left, right, place, there, min(len(left) - place, len(right) - there))
        blocks.append(Block(place - back, there - back, back + ahead))
        start, other = place + ahead, there + ahead
    return blocks


def _unique(text: str, length: int) -> dict[str, int]:
    """Give the places, in order, of the grams that occur once, those aside that are on one side only."""
    grams = text if length == 1 else [text[place : place + length] for place in range(len(text) - length + 1)]
    times = Counter(grams)
    only = {_ONLY_BEFORE, _ONLY_AFTER}
    return {gram: place for place, gram in enumerate(grams) if times[gram] == 1 and gram not in only}


def _codes(before: Sequence[Hashable], after: Sequence[Hashable]) -> tuple[str, str]:
    """Write both sequences as texts, one character for each common key: slices of texts compare fastest."""
    common = set(before).intersection(after)
    codes = {key: chr(code) for code, key in zip(range(2, _MAX_CODES), common, strict=False)}
    return (
        "".join([codes.get(key, _ONLY_BEFORE) for key in before]),
        "".join([codes.get(key, _ONLY_AFTER) for key in after]),
    )


def _agreement(left: str, right: str, start: int, other: int, limit: int) -> int:
    """Count how many characters agree from two places on, at most `limit`."""
    if limit <= 0 or left[start] != right[other]:
        return 0
    agreed, step = 1, 16
    while agreed < limit and left.startswith(right[other + agreed : other + agreed + step], start + agreed):
        agreed, step = agreed + step, 2 * step
    if agreed >= limit:
        return limit
    stop = min(limit, agreed + step)
    rest = compress(count(agreed), map(ne, left[start + agreed : start + stop], right[other + agreed : other + stop]))
    return next(rest, stop)


def _agreement_before(left: str, right: str, end: int, other_end: int, limit: int) -> int:
    """Count how many characters agree before two places, at most `limit`."""
    agreed, step = 0, 16
    while agreed < limit:
        step = min(step, limit - agreed)
        piece = left[end - agreed - step : end - agreed]
        other = right[other_end - agreed - step : other_end - agreed]
        if piece != other:
            return next(compress(count(agreed), map(ne, reversed(piece), reversed(other))))
        agreed, step = agreed + step, 2 * step
    return limit


def _joined(blocks: list[Block]) -> list[Block]:
    """Join blocks that touch on both sides."""
    joined: list[Block] = []
    for block in blocks:
        if joined:
            last = joined[-1]
            if (last.before + last.length, last.after + last.length) == (block.before, block.after):
                joined[-1] = Block(last.before, last.after, last.length + block.length)
                continue
        joined.append(block)
    return joined
