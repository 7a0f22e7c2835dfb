"""Arrays whose order is set aside: equal items first, wherever they stand, then those that are most alike."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence

from service.core import similarity, values
from service.core.identity import key
from service.core.values import Json

Partners = list[int | None]
"""For each item of the one array the index of its partner in the other, or None."""


DistanceOf = Callable[[int], float]
"""Says how far apart numbers may be that count as equal, by the index of the one in its array."""


def match(before: Sequence[Json], after: Sequence[Json], tolerance: DistanceOf | None = None) -> tuple[Partners, bool]:
    """Pair the items; the flag says that a bound was met and likely pairs may have been missed.

    >>> match([{"id": 1, "n": 1}, 5, 6], [6, {"id": 1, "n": 2}])
    ([1, None, 0], False)
    """
    partners = match_equal(before, after)
    left, right = _alone(partners, len(after))
    if tolerance is not None:
        for i, j in _near(_numbers(before, left), _numbers(after, right), tolerance):
            partners[i] = j
        left, right = _alone(partners, len(after))
    found = similarity.pair([before[i] for i in left], [after[j] for j in right])
    for i, j in found.pairs:
        partners[left[i]] = right[j]
    return partners, found.bounded


def _alone(partners: Partners, after_count: int) -> tuple[list[int], list[int]]:
    """Give the indexes of the items of each array that have no partner."""
    taken = {partner for partner in partners if partner is not None}
    left = [i for i, partner in enumerate(partners) if partner is None]
    return left, [j for j in range(after_count) if j not in taken]


def _numbers(items: Sequence[Json], indexes: Iterable[int]) -> list[tuple[int | float, int]]:
    """Give the numbers among some of the items with their indexes, by size."""
    return sorted((items[index], index) for index in indexes if type(items[index]) in {int, float})


def _near(
    before: list[tuple[int | float, int]], after: list[tuple[int | float, int]], tolerance: DistanceOf
) -> Iterable[tuple[int, int]]:
    """Pair numbers that count as equal, the smallest first."""
    at = 0
    for number, i in before:
        distance = tolerance(i)
        while at < len(after) and after[at][0] < number and not values.near(number, after[at][0], distance):
            at += 1
        if at < len(after) and values.near(number, after[at][0], distance):
            yield i, after[at][1]
            at += 1


def match_equal(before: Sequence[Json], after: Sequence[Json]) -> Partners:
    """Pair equal items, the first with the first."""
    places: dict[Hashable, list[int]] = defaultdict(list)
    for j in range(len(after) - 1, -1, -1):
        places[key(after[j])].append(j)
    partners: Partners = []
    for item in before:
        waiting = places.get(key(item))
        partners.append(waiting.pop() if waiting else None)
    return partners
