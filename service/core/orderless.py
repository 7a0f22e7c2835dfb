"""Arrays whose order is set aside: equal items first, wherever they stand, then those that are most alike."""

from collections import defaultdict
from collections.abc import Hashable, Sequence

from service.core import similarity
from service.core.identity import key
from service.core.values import Json

Partners = list[int | None]
"""For each item of the one array the index of its partner in the other, or None."""


def match(before: Sequence[Json], after: Sequence[Json]) -> tuple[Partners, bool]:
    """Pair the items; the flag says that a bound was met and likely pairs may have been missed.

    >>> match([{"id": 1, "n": 1}, 5, 6], [6, {"id": 1, "n": 2}])
    ([1, None, 0], False)
    """
    partners = match_equal(before, after)
    taken = {partner for partner in partners if partner is not None}
    left = [i for i, partner in enumerate(partners) if partner is None]
    right = [j for j in range(len(after)) if j not in taken]
    found = similarity.pair([before[i] for i in left], [after[j] for j in right])
    for i, j in found.pairs:
        partners[left[i]] = right[j]
    return partners, found.bounded


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
