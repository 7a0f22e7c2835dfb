"""Two arrays laid side by side: rows of partners, and of items that only one of them has, by each alignment."""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from service.core import orderless, similarity
from service.core.alignment import align
from service.core.identity import key
from service.core.options import ArrayRule
from service.core.orderless import Partners
from service.core.values import Json
from service.errors import ArrayKeyError, Violation

Row = tuple[int | None, int | None]


class Rows(NamedTuple):
    """Every item of either array once: those of the first in order, those of the second behind what precedes them.

    `bounded` says that a bound was met: the rows are right, but likely partners may stand apart.
    """

    rows: list[Row]
    bounded: bool = False


def lay(before: Sequence[Json], after: Sequence[Json], rule: ArrayRule) -> Rows:
    """Pair the items as the rule says. Raises `ArrayKeyError` where keys are missing or repeated.

    >>> lay([1, 2, 3], [1, 3, 4], ArrayRule("inOrder")).rows
    [(0, 0), (1, None), (2, 1), (None, 2)]
    """
    match rule.alignment:
        case "orderless":
            partners, bounded = orderless.match(before, after)
            return Rows(rows_of(partners, len(after)), bounded)
        case "positionPriority":
            return Rows(rows_of([i if i < len(after) else None for i in range(len(before))], len(after)))
        case "keyed":
            return _lay_keyed(before, after, rule)
        case "typeWithValuePriority":
            partners = _in_gaps(before, after, _same_types)
            return Rows(rows_of(partners, len(after)))
        case "inOrder":
            return _lay_in_order(before, after)


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
    bounded = False

    def pair_gap(left: Sequence[Json], right: Sequence[Json]) -> Partners:
        nonlocal bounded
        found = similarity.pair(left, right)
        bounded = bounded or found.bounded
        return _fill(_uncrossed(found.pairs, len(left)), left, right)

    partners = _in_gaps(before, after, pair_gap)
    return Rows(rows_of(partners, len(after)), bounded)


def _in_gaps(
    before: Sequence[Json], after: Sequence[Json], pair_gap: Callable[[Sequence[Json], Sequence[Json]], Partners]
) -> Partners:
    """Pair what a long common subsequence pairs, and in every gap between what `pair_gap` pairs, in order."""
    partners: Partners = [None] * len(before)
    i = j = 0
    ends = [(len(before), len(after), 0)]
    for start, after_start, length in (*align([*map(key, before)], [*map(key, after)]), *ends):
        if i < start and j < after_start:
            for offset, partner in enumerate(pair_gap(before[i:start], after[j:after_start])):
                partners[i + offset] = None if partner is None else j + partner
        partners[start : start + length] = range(after_start, after_start + length)
        i, j = start + length, after_start + length
    return partners


def _same_types(left: Sequence[Json], right: Sequence[Json]) -> Partners:
    partners: Partners = [None] * len(left)
    for start, after_start, length in align([*map(_kind, left)], [*map(_kind, right)]):
        partners[start : start + length] = range(after_start, after_start + length)
    return partners


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


def _lay_keyed(before: Sequence[Json], after: Sequence[Json], rule: ArrayRule) -> Rows:
    violations: list[Violation] = []
    left = _by_keys(before, rule.keys, "A", violations)
    right = _by_keys(after, rule.keys, "B", violations)
    if violations and rule.on_key_error == "inOrder":
        return _lay_in_order(before, after)
    if violations:
        names = ", ".join(rule.keys)
        raise ArrayKeyError(
            f"Items of an array aligned by the keys {names} lack a key or share one. Choose other keys, or say "
            "onKeyError 'inOrder'.",
            violations=tuple(violations[:20]),
        )
    return Rows(rows_of([right.get(identity) for identity in left], len(after)))


def _by_keys(
    items: Sequence[Json], keys: tuple[str, ...], side: str, violations: list[Violation]
) -> dict[Hashable, int]:
    found: dict[Hashable, int] = {}
    for index, item in enumerate(items):
        if not isinstance(item, dict) or not all(name in item for name in keys):
            detail = f"item {index} of {side} lacks a key"
            violations.append(Violation(code=ArrayKeyError.code, detail=detail, pointer=f"/{index}"))
            continue
        identity = tuple(key(item[name]) for name in keys)
        if identity in found:
            detail = f"items {found[identity]} and {index} of {side} have the same keys"
            violations.append(Violation(code=ArrayKeyError.code, detail=detail, pointer=f"/{index}"))
        found.setdefault(identity, index)
    return found
