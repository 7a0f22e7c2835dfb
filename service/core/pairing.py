"""Which items of two arrays are versions of each other, where none is equal: like with like, in order."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import eq

import msgspec

from service.core.alignment import rising
from service.core.values import Json

Pair = tuple[int, int]

SMALL_CELLS = 64
"""Up to so many pairs, likeness alone decides; above, a member that identifies the items comes first."""

MAX_CELLS = 4096
"""Up to so many pairs likeness is looked at; above, items are paired in order."""

_MAX_LIKENESS = 16
_CONTAINERS = frozenset({dict, list})
_IDENTIFYING = frozenset({str, int})
_ABSENT = object()


class Pairing(msgspec.Struct):
    """Pairs items for one comparison, whose tries are bounded in sum: `bounded` says that they ran out."""

    tries: int = 250_000
    bounded: bool = False

    def pair(self, before: Sequence[Json], after: Sequence[Json]) -> list[Pair]:
        """Give the places of the items that belong together: they rise, and between two nothing is left on both sides.

        >>> Pairing().pair([{"id": 1}, {"id": 2, "a": 0}], [{"id": 2, "a": 1}])
        [(1, 0)]
        """
        cells = len(before) * len(after)
        if cells == 1 or not (_has_containers(before) and _has_containers(after)):
            return list(zip(range(len(before)), range(len(after)), strict=False))
        if cells <= SMALL_CELLS:
            return self._alike(before, after)
        return list(self._filled(_identified(before, after), before, after))

    def lay(self, before: Sequence[Json], after: Sequence[Json]) -> list[Pair] | None:
        """Pair short arrays, equal items or not, so that most is kept; None where they are not short.

        The pairs rise, and between two nothing is left on both sides.

        >>> Pairing().lay([1, {"a": 1, "b": 2}, 3], [{"a": 1, "b": 3}, 3])
        [(1, 0), (2, 1)]
        """
        cells = len(before) * len(after)
        if cells > min(SMALL_CELLS, self.tries):
            return None
        self.tries -= cells
        return _best([[_kept(item, other) for other in after] for item in before])

    def _filled(self, anchors: list[Pair], before: Sequence[Json], after: Sequence[Json]) -> Iterator[Pair]:
        """Pair what lies between the anchors by likeness, and what is left then in order."""
        for (start, other), (end, other_end) in pairwise([(-1, -1), *anchors, (len(before), len(after))]):
            if start + 1 < end and other + 1 < other_end:
                for place, other_place in self._alike(before[start + 1 : end], after[other + 1 : other_end]):
                    yield start + 1 + place, other + 1 + other_place
            if end < len(before):
                yield end, other_end

    def _alike(self, before: Sequence[Json], after: Sequence[Json]) -> list[Pair]:
        cells = len(before) * len(after)
        if cells == 1:
            return [(0, 0)]
        if cells > MAX_CELLS or cells > self.tries:
            self.bounded = True
            return list(zip(range(len(before)), range(len(after)), strict=False))
        self.tries -= cells
        likeness = [[_likeness(item, other) for other in after] for item in before]
        return _in_order(_best(likeness), len(before), len(after))


def stand_in_place(before: Sequence[Json], after: Sequence[Json]) -> bool:
    """Say whether a member identifies all items of either array, and each stands where its namesake does.

    No item is then equal to one at another place.

    >>> stand_in_place([{"id": 1, "a": 1}, {"id": 2}], [{"id": 1, "b": 1}, {"id": 2}])
    True
    """
    for name in before[0] if type(before[0]) is dict else ():
        if places := _unique_values(before, name):
            return places == _unique_values(after, name)
    return False


def _identified(before: Sequence[Json], after: Sequence[Json]) -> list[Pair]:
    """Pair by the scalar member that is unique on both sides and has most values in common."""
    best: list[Pair] = []
    for name in before[0] if type(before[0]) is dict else ():
        places = _unique_values(before, name)
        other_places = _unique_values(after, name) if places else {}
        common = [(place, other_places[value]) for value, place in places.items() if value in other_places]
        if len(common) > len(best):
            best = common
        if len(best) == min(len(before), len(after)):
            break
    return [best[index] for index in rising([there for _, there in best])]


def _unique_values(items: Sequence[Json], name: str) -> dict[Json, int]:
    """Give the place of each value of a member that is a string or an integer in all items, and never twice."""
    values = [item.get(name) if type(item) is dict else None for item in items]
    if not _IDENTIFYING.issuperset(map(type, values)):
        return {}
    places = dict(zip(values, range(len(values)), strict=True))
    return places if len(places) == len(values) else {}


def _kept(item: Json, other: Json) -> int:
    """Say how much is kept when `item` becomes `other`: its place, even if they have nothing in common."""
    kind = type(item)
    if kind not in _CONTAINERS:
        return 5 if item == other else 1
    if kind is not type(other):
        return 1
    return 5 + 4 * len(item) if item == other else 1 + _likeness(item, other)


def _likeness(item: Json, other: Json) -> int:
    """Say how much of `item` stays when it becomes `other`: 0 is nothing."""
    worth = 0
    kind = type(item)
    if kind is not type(other):
        return worth
    if kind is dict:
        find = other.get
        for name, value in item.items():
            found = find(name, _ABSENT)
            if value == found:
                worth += 4
            elif found is not _ABSENT:
                worth += 1
    elif kind is list:
        worth = 1 + 4 * sum(map(eq, item[:_MAX_LIKENESS], other))
    return worth


def _best(likeness: list[list[int]]) -> list[Pair]:
    """Give the pairs, in order, whose likeness comes to the largest sum."""
    width = len(likeness[0])
    if len(likeness) == width and all(row[place] == max(row) > 0 for place, row in enumerate(likeness)):
        return [(place, place) for place in range(width)]  # each is most like the one at its own place
    rows = [[0] * (width + 1)]
    for line in likeness:
        above, row = rows[-1], [0]
        most = 0
        for diagonal, up, worth in zip(above, above[1:], line, strict=False):
            most = max(most, up, diagonal + worth)
            row.append(most)
        rows.append(row)
    pairs = []
    place, other = len(likeness), width
    while place and other:
        if rows[place][other] == rows[place][other - 1]:
            other -= 1
        elif rows[place][other] == rows[place - 1][other]:
            place -= 1
        else:
            place, other = place - 1, other - 1
            pairs.append((place, other))
    return pairs[::-1]


def _in_order(pairs: list[Pair], size: int, other_size: int) -> list[Pair]:
    """Add pairs of what is left between two pairs: one `replace` beats a `remove` and an `add`."""
    filled: list[Pair] = []
    for (start, other), (end, other_end) in pairwise([(-1, -1), *pairs, (size, other_size)]):
        filled.extend(zip(range(start + 1, end), range(other + 1, other_end), strict=False))
        if end < size:
            filled.append((end, other_end))
    return filled


def _has_containers(items: Sequence[Json]) -> bool:
    return not _CONTAINERS.isdisjoint(map(type, items))
