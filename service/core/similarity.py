"""Which items of two arrays are alike though not equal: rare values weigh more, and the work is bounded."""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from heapq import nlargest
from math import log
from typing import NamedTuple

from service.core.identity import key
from service.core.values import Json

THRESHOLD = 0.3
"""Items that share less than this part of their weight (Dice) are no pair."""

MAX_FEATURES = 400
MAX_WORDS = 40
MAX_POSTINGS = 64
MAX_STEPS = 2_000_000
_CANDIDATES = 8
_WORD = re.compile(r"\w+")

Feature = Hashable
_ALIKE = frozenset({dict, list, str})


class Found(NamedTuple):
    """Pairs of indexes, best first; `bounded` says that some may have been missed."""

    pairs: list[tuple[int, int]]
    bounded: bool


class Candidate(NamedTuple):
    """A likely pair of indexes; the best sorts first."""

    cost: float
    distance: int
    before: int
    after: int


def features(value: Json) -> frozenset[Feature]:
    """Give what can be recognised of a value: scalars by their place (of any index), names, and words of strings."""
    found: set[Feature] = {type(value)} if isinstance(value, dict | list) else set()
    waiting: list[tuple[str, Json]] = [("", value)]
    for path, part in waiting:
        if len(found) > MAX_FEATURES:
            break
        if isinstance(part, dict):
            waiting.extend((f"{path}/{name}", member) for name, member in part.items())
            found.update(f"{path}/{name}" for name in part)
        elif isinstance(part, list):
            waiting.extend((f"{path}/", item) for item in part[:MAX_FEATURES])
        else:
            if path or not isinstance(part, str):
                found.add((path, key(part)))
            if isinstance(part, str):
                found.update((path, "word", word) for word in _WORD.findall(part[:1000])[:MAX_WORDS])
    return frozenset(found)


def pair(before: Sequence[Json], after: Sequence[Json]) -> Found:
    """Pair containers and strings that are alike, the best first; other scalars are never alike.

    >>> pair([{"id": 7, "n": 1}, "x"], ["y", {"id": 7, "n": 2}])
    Found(pairs=[(0, 1)], bounded=False)
    """
    left = [i for i, item in enumerate(before) if type(item) in _ALIKE]
    right = [j for j, item in enumerate(after) if type(item) in _ALIKE]
    if not left or not right:
        return Found([], bounded=False)
    found = Candidates([features(before[i]) for i in left], [features(after[j]) for j in right])
    scored = [each for each in found.scored() if type(before[left[each.before]]) is type(after[right[each.after]])]
    pairs = choose(scored, set(range(len(left))), set(range(len(right))))
    return Found([(left[i], right[j]) for i, j in pairs], found.bounded)


def choose(scored: Iterable[Candidate], free_before: set[int], free_after: set[int]) -> list[tuple[int, int]]:
    """Take the best candidate, then the best of those left, and so on. The sets lose what is taken."""
    pairs = []
    for _, _, i, j in sorted(scored):
        if i in free_before and j in free_after:
            free_before.discard(i)
            free_after.discard(j)
            pairs.append((i, j))
    return pairs


class Candidates:
    """Which items may be pairs, by their features. One that very many items have makes no candidates, but counts.

    `contained` scores by how much of the one is found in the other, whatever else that has; else both must be alike.
    """

    def __init__(
        self,
        before: Sequence[frozenset[Feature]],
        after: Sequence[frozenset[Feature]],
        *,
        contained: bool = False,
        threshold: float = THRESHOLD,
    ) -> None:
        self.bounded = False
        self._left, self._right, self._contained, self._threshold = before, after, contained, threshold
        counts = Counter(feature for each in (*self._left, *self._right) for feature in each)
        size = len(before) + len(after)
        # Whole numbers, so that a sum does not depend on the order of a set.
        self._weights = {feature: round(1000 * log(1 + size / count)) for feature, count in counts.items()}
        self._totals = [self._weigh(each) for each in self._right]

    def scored(self) -> list[Candidate]:
        """Give every candidate with its score."""
        postings: dict[Feature, list[int]] = defaultdict(list)
        for j, each in enumerate(self._right):
            for feature in each:
                postings[feature].append(j)
        widest = max(1, min(MAX_POSTINGS, MAX_STEPS // sum(1 + len(each) for each in self._left)))
        known = {feature: found for feature, found in postings.items() if len(found) <= widest}
        scored: list[Candidate] = []
        for i, each in enumerate(self._left):
            likely = self._likely(i, each, known)
            if not likely and self._may_be_alike([feature for feature in each if feature in postings], each):
                # Nothing rare in common with any item: what stands at the same place is the one guess.
                self.bounded = True
                likely = [min(i, len(self._right) - 1)]
            scored.extend(self._score(i, likely))
        return scored

    def _likely(self, i: int, each: frozenset[Feature], known: dict[Feature, list[int]]) -> list[int]:
        shared: dict[int, int] = defaultdict(int)
        for feature in each:
            for j in known.get(feature, ()):
                shared[j] += self._weights[feature]
        return nlargest(_CANDIDATES, shared, key=lambda j: (shared[j], -abs(i - j), -j))

    def _may_be_alike(self, common: list[Feature], each: frozenset[Feature]) -> bool:
        """Say whether what an item has in common with others can make it a pair with one that has all of that."""
        shared, total = self._weigh(common), self._weigh(each)
        return shared > 0 and shared >= self._threshold * (total if self._contained else (total + shared) / 2)

    def _score(self, i: int, likely: list[int]) -> Iterator[Candidate]:
        total = self._weigh(self._left[i])
        for j in likely:
            whole = total if self._contained else (total + self._totals[j]) / 2
            score = self._weigh(self._left[i] & self._right[j]) / whole
            if score >= self._threshold:
                yield Candidate(-score, abs(i - j), i, j)

    def _weigh(self, each: Iterable[Feature]) -> int:
        return sum(map(self._weights.__getitem__, each))
