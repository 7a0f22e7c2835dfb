"""Two arrays laid side by side: rows of partners, and of items that only one of them has, by each alignment."""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from service.core import orderless, similarity
from service.core.alignment import Block, align
from service.core.identity import key
from service.core.keyed import BadKeysError, pair_by_keys
from service.core.options import ArrayRule
from service.core.orderless import DistanceOf, Partners
from service.core.pointer import format_pointer
from service.core.values import Json
from service.errors import ArrayKeyError, Violation

Row = tuple[int | None, int | None]
Places = tuple[int | None, ...]
"""Where an item stands in each of some arrays, None where one has it not."""
Trail = Sequence[Sequence[str | int | None]]
"""The way to a place: at each step the token that leads there in each of the inputs, None where one has none."""
IndexOf = Callable[[Sequence[Json], int], int]
"""Says of an array, from which items may have been left out, where one of them stands in the document."""
_PairGap = Callable[[Sequence[Json], Sequence[Json]], tuple[Partners, bool]]
"""Pairs the items of a gap, in order; says whether a bound was met."""


def as_given(_: Sequence[Json], index: int) -> int:
    """Say that nothing has been left out of an array."""
    return index


class Rows(NamedTuple):
    """Every item of either array once: those of the first in order, those of the second behind what precedes them.

    `bounded` says that a bound was met: the rows are right, but likely partners may stand apart.
    """

    rows: list[Row]
    bounded: bool = False


def lay(
    before: Sequence[Json],
    after: Sequence[Json],
    rule: ArrayRule,
    index_of: IndexOf = as_given,
    tolerance: DistanceOf | None = None,
) -> Rows:
    """Pair the items as the rule says. Raises `ArrayKeyError` where keys are missing or repeated.

    `index_of` says where in the document an item of one of the arrays stands.

    >>> lay([1, 2, 3], [1, 3, 4], ArrayRule("inOrder")).rows
    [(0, 0), (1, None), (2, 1), (None, 2)]
    """
    match rule.alignment:
        case "orderless":
            partners, bounded = orderless.match(before, after, tolerance)
            return Rows(rows_of(partners, len(after)), bounded)
        case "positionPriority":
            return Rows(rows_of([i if i < len(after) else None for i in range(len(before))], len(after)))
        case "keyed":
            return _lay_keyed(before, after, rule, index_of)
        case "typeWithValuePriority":
            return _in_gaps(before, after, _same_types)
        case "inOrder":
            return _lay_in_order(before, after)


def lay_inputs(
    before: Sequence[Json],
    after: Sequence[Json],
    rule: ArrayRule,
    names: tuple[str, str],
    index_of: IndexOf = as_given,
    tolerance: DistanceOf | None = None,
) -> Rows:
    """Pair the items of two inputs, which `ArrayKeyError` calls by their names."""
    try:
        return lay(before, after, rule, index_of, tolerance)
    except ArrayKeyError as error:
        called = dict(zip(("before", "after"), names, strict=True))
        error.violations = tuple(
            msgspec.structs.replace(each, input=called[str(each.input)]) for each in error.violations
        )
        raise


def pick(items: Sequence[Json], index: int | None) -> Any:
    """Give the item of an array that stands in a row; UNSET where the array has none there."""
    return UNSET if index is None else items[index]


def with_left_out(rows: Sequence[Places], count: int, side: int, sides: int = 2) -> Iterator[Places]:
    """Put the items of one side's array that are in no row back, each before the item that follows it there.

    >>> list(with_left_out([(1, 0), (None, 1)], 3, 0))
    [(0, None), (1, 0), (None, 1), (2, None)]
    """
    left_out = sorted(set(range(count)).difference(row[side] for row in rows), reverse=True)
    for row in (*rows, None):
        at = count if row is None else row[side]
        while at is not None and left_out and left_out[-1] < at:
            index = left_out.pop()
            yield tuple(index if each == side else None for each in range(sides))
        if row is not None:
            yield row


def rows_of(partners: Partners, after_count: int) -> list[Row]:
    """Make rows of partners; what only the second array has comes after its predecessor, and after what is gone."""
    homes = {partner: i for i, partner in enumerate(partners) if partner is not None}
    followers: dict[int, list[int]] = {}
    anchor = -1
    for j in range(after_count):
        anchor = homes.get(j, anchor)
        if j not in homes:
            followers.setdefault(anchor, []).append(j)
    rows: list[Row] = []
    waiting = followers.get(-1, [])
    for i, partner in enumerate(partners):
        if partner is not None:
            rows.extend((None, j) for j in waiting)
            waiting = followers.get(i, [])
        rows.append((i, partner))
    rows.extend((None, j) for j in waiting)
    return rows


def _lay_in_order(before: Sequence[Json], after: Sequence[Json]) -> Rows:
    return _in_gaps(before, after, _most_alike)


def _in_gaps(before: Sequence[Json], after: Sequence[Json], pair_gap: _PairGap) -> Rows:
    """Pair what a long common subsequence pairs, and in every gap between what `pair_gap` pairs, in order."""
    partners: Partners = [None] * len(before)
    i = j = 0
    blocks, bounded = align([*map(key, before)], [*map(key, after)])
    for start, after_start, length in (*blocks, Block(len(before), len(after), 0)):
        if i < start and j < after_start:
            found, is_bounded = pair_gap(before[i:start], after[j:after_start])
            bounded = bounded or is_bounded
            for offset, partner in enumerate(found):
                partners[i + offset] = None if partner is None else j + partner
        partners[start : start + length] = range(after_start, after_start + length)
        i, j = start + length, after_start + length
    return Rows(rows_of(partners, len(after)), bounded)


def _most_alike(left: Sequence[Json], right: Sequence[Json]) -> tuple[Partners, bool]:
    found = similarity.pair(left, right)
    return _fill(_uncrossed(found.pairs, len(left)), left, right), found.bounded


def _same_types(left: Sequence[Json], right: Sequence[Json]) -> tuple[Partners, bool]:
    partners: Partners = [None] * len(left)
    blocks, bounded = align([*map(_kind, left)], [*map(_kind, right)])
    for start, after_start, length in blocks:
        partners[start : start + length] = range(after_start, after_start + length)
    return partners, bounded


def _kind(value: Json) -> Hashable:
    kind: type = type(value)
    return float if kind is int else kind


def _uncrossed(pairs: list[tuple[int, int]], count: int) -> Partners:
    """Keep the best pairs that do not cross one another."""
    partners: Partners = [None] * count
    lefts: list[int] = []
    rights: list[int] = []
    for i, j in pairs:
        at = bisect_left(lefts, i)
        if bisect_left(rights, j) == at:
            lefts.insert(at, i)
            rights.insert(at, j)
            partners[i] = j
    return partners


def _fill(partners: Partners, left: Sequence[Json], right: Sequence[Json]) -> Partners:
    """Between the pairs, let what stands at the same place of the gap be a pair too where the types are alike."""
    i = j = 0
    for end, partner in [*enumerate(partners), (len(left), len(right))]:
        if partner is None:
            continue
        for offset in range(min(end - i, partner - j)):
            if _kind(left[i + offset]) == _kind(right[j + offset]) and not isinstance(left[i + offset], dict | list):
                partners[i + offset] = j + offset
        i, j = end + 1, partner + 1
    return partners


def _lay_keyed(before: Sequence[Json], after: Sequence[Json], rule: ArrayRule, index_of: IndexOf) -> Rows:
    try:
        pairs = pair_by_keys(before, after, rule)
    except BadKeysError as error:
        arrays = error.arrays
        raise error.refused(lambda side, place: f"/{index_of(arrays[side], place)}") from error
    if pairs is None:
        return _lay_in_order(before, after)
    partners: Partners = [None] * len(before)
    for i, j in pairs:
        partners[i] = j
    return Rows(rows_of(partners, len(after)))


def placed(error: ArrayKeyError, trail: Trail, inputs: Sequence[str]) -> ArrayKeyError:
    """Say of an error that `lay_inputs` raises in which array of each of the inputs it is."""
    arrays = {
        name: format_pointer(token for step in trail if (token := step[side]) is not None)
        for side, name in enumerate(inputs)
    }
    first = str(error.violations[0].input)
    error.detail = f"Input '{first}': In the array at '{arrays[first]}': {error.reason}"
    error.violations = tuple(_within(each, arrays[str(each.input)]) for each in error.violations)
    return error


def _within(violation: Violation, array: str) -> Violation:
    detail = f"In the array at '{array}': {violation.detail}"
    return msgspec.structs.replace(violation, pointer=f"{array}{violation.pointer}", detail=detail)
