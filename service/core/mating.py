"""How the items of two arrays are paired, by the alignment that holds at their place. No patches here."""

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import chain, compress, count
from typing import NamedTuple

from service.core.alignment import Alignment, Block, align, rising
from service.core.keyed import pair_by_keys
from service.core.pairing import Pair, Pairing, stand_in_place
from service.core.scope import Scope
from service.core.values import Json

MAX_SHIFTED = 4
"""Arrays of one length keep their positions while no more than one item in so many differs."""

_FEW = 1024
"""Up to so many pairs of items are compared one by one."""

_SMALL = 24
"""Strings shorter than this, and numbers, move only where that saves an operation."""


Mate = tuple[int, int, int, bool]
"""Where items stand in `before` and `after`, how many they are, and whether they are equal or else become another."""


class Mating(NamedTuple):
    """Mates that rise on both sides; with `moves` also the places of items that go elsewhere."""

    mates: list[Mate]
    moved: list[Pair]
    bounded: bool = False


def mate(before: Sequence[Json], after: Sequence[Json], scope: Scope, pairing: Pairing, *, moves: bool) -> Mating:
    """Pair the items of two arrays. Raises `BadKeysError`."""
    rule = scope.arrays
    if rule.alignment == "positionPriority":
        return Mating(_judged(zip(range(len(before)), range(len(after)), strict=False), before, after, scope), [])
    if rule.alignment == "keyed" and any(isinstance(item, dict) for item in chain(before, after)):
        pairs = pair_by_keys(before, after, rule)
        if pairs is not None:
            kept = rising([there for _, there in pairs])
            moved = set(range(len(pairs))).difference(kept) if moves else ()
            mates = _judged([pairs[index] for index in kept], before, after, scope)
            return Mating(mates, [pairs[index] for index in sorted(moved)])
    if scope.is_plain and not moves:
        return mate_in_order(before, after, scope, pairing)
    return _in_order(before, after, scope, pairing, moves=moves)


def mate_by_position(before: Sequence[Json], after: Sequence[Json]) -> Mating:
    """Pair by index, without a look at the items: for what is too deep to be looked at again and again."""
    shorter = min(len(before), len(after))
    return Mating([(place, place, 1, False) for place in range(shorter)], [], len(before) != len(after))


def _judged(pairs: Iterable[Pair], before: Sequence[Json], after: Sequence[Json], scope: Scope) -> list[Mate]:
    return [(place, other, 1, not scope.at(place).differ(before[place], after[other])) for place, other in pairs]


def mate_in_order(before: Sequence[Json], after: Sequence[Json], scope: Scope, pairing: Pairing) -> Mating:
    """Keep what is equal, and pair like with like in what is left between, in a plain scope."""
    mates: list[Mate] = []
    bounded = False
    place = other = 0
    for start, end, other_start, other_end in _differing(before, after, scope):
        if start > place:
            mates.append((place, other, start - place, True))
        if end > start and other_end > other_start:
            found = _mate_stretch(before[start:end], after[other_start:other_end], scope, pairing)
            mates += [(start + one, other_start + two, length, same) for one, two, length, same in found.mates]
            bounded = bounded or found.bounded
        place, other = end, other_end
    if len(before) > place:
        mates.append((place, other, len(before) - place, True))
    return Mating(mates, [], bounded)


def _mate_stretch(before: Sequence[Json], after: Sequence[Json], scope: Scope, pairing: Pairing) -> Mating:
    if len(before) == len(after) == 1:
        return Mating([(0, 0, 1, False)], [])
    pairs = pairing.lay(before, after)
    if pairs is None and len(before) == len(after) and stand_in_place(before, after):
        pairs = [(place, place) for place in range(len(before))]
    if pairs is None:
        return _in_order(before, after, scope, pairing, moves=False)
    return Mating([(one, two, 1, bool(before[one] == after[two])) for one, two in pairs], [])


def _in_order(before: Sequence[Json], after: Sequence[Json], scope: Scope, pairing: Pairing, *, moves: bool) -> Mating:
    """Keep a longest common subsequence, and pair like with like in what is left between."""
    equal, bounded = _equal_runs(before, after, scope)
    mates: list[Mate] = [(*block, True) for block in equal]
    if scope.is_tolerant:
        # Keys that round alike are a hint; whether items differ is for the scope of each to say.
        mates = [(one + step, two + step, 1, False) for one, two, size in equal for step in range(size)]
    gaps = list(_gaps(equal, len(before), len(after)))
    moved = _moved(before, after, gaps, scope) if moves else []
    mates += _paired_beside(moved, gaps, before, after, pairing)
    mates.sort()
    return Mating(mates, moved, bounded or pairing.bounded)


def _paired_beside(
    moved: list[Pair],
    gaps: list[tuple[range, range]],
    before: Sequence[Json],
    after: Sequence[Json],
    pairing: Pairing,
) -> list[Mate]:
    """Pair what is left in the gaps when what moves is gone."""
    leaving, arriving = {place for place, _ in moved}, {place for _, place in moved}
    mates: list[Mate] = []
    for gap, other_gap in gaps:
        rest = [place for place in gap if place not in leaving] if moved else gap
        other_rest = [place for place in other_gap if place not in arriving] if moved else other_gap
        if rest and other_rest:
            pairs = pairing.pair([before[place] for place in rest], [after[place] for place in other_rest])
            mates += [(rest[one], other_rest[other], 1, False) for one, other in pairs]
    return mates


def _equal_runs(before: Sequence[Json], after: Sequence[Json], scope: Scope) -> Alignment:
    blocks: list[Block] = []
    bounded = False
    place = other = 0
    for start, end, other_start, other_end in _differing(before, after, scope):
        if start > place:
            blocks.append(Block(place, other, start - place))
        if end > start and other_end > other_start:
            items, other_items = before[start:end], after[other_start:other_end]
            if not _have_nothing_in_common(items, other_items, scope):
                found = align(scope.keys(items), scope.keys(other_items))
                bounded = bounded or found.bounded
                blocks += [Block(one + start, two + other_start, length) for one, two, length in found.blocks]
        place, other = end, other_end
    if len(before) > place:
        blocks.append(Block(place, other, len(before) - place))
    return Alignment(blocks, bounded)


def _have_nothing_in_common(before: Sequence[Json], after: Sequence[Json], scope: Scope) -> bool:
    """Say so quickly where it is quickly seen."""
    if len(before) == len(after) == 1:
        return True
    return scope.is_plain and len(before) * len(after) <= _FEW and not any(map(after.__contains__, before))


def _differing(before: Sequence[Json], after: Sequence[Json], scope: Scope) -> Iterator[tuple[int, int, int, int]]:
    """Yield start and end on both sides of the stretches that have to be aligned; all else is equal in place."""
    size, other_size = len(before), len(after)
    differing = compress(count(), _differences(before, after, scope, count()))
    if size != other_size:
        shorter = min(size, other_size)
        head = next(differing, shorter)
        backwards = _differences(reversed(before), reversed(after), scope, count(size - 1, -1))
        tail = min(next(compress(count(), backwards), shorter), shorter - head)
        yield head, size - tail, head, other_size - tail
        return
    places = list(differing)
    if len(places) * MAX_SHIFTED > size:
        yield places[0], places[-1] + 1, places[0], places[-1] + 1
        return
    for start, end in _runs(places):
        yield start, end, start, end


def _differences(before: Iterable[Json], after: Iterable[Json], scope: Scope, places: Iterable[int]) -> Iterator[bool]:
    if scope.is_uniform or not scope.is_tolerant:
        return map(scope.differ, before, after)
    return (scope.at(place).differ(item, other) for place, item, other in zip(places, before, after, strict=False))


def _runs(places: list[int]) -> Iterator[tuple[int, int]]:
    """Yield start and end of the runs of successive places."""
    start = 0
    for index in range(1, len(places) + 1):
        if index == len(places) or places[index] != places[index - 1] + 1:
            yield places[start], places[index - 1] + 1
            start = index


def _gaps(blocks: list[Block], size: int, other_size: int) -> Iterator[tuple[range, range]]:
    """Yield the places between the blocks, on both sides."""
    place = other = 0
    for block in [*blocks, Block(size, other_size, 0)]:
        if block.before > place or block.after > other:
            yield range(place, block.before), range(other, block.after)
        place, other = block.before + block.length, block.after + block.length


def _moved(before: Sequence[Json], after: Sequence[Json], gaps: list[tuple[range, range]], scope: Scope) -> list[Pair]:
    """Pair equal items that stand in different gaps, or in one in another order."""
    leaving = [(place, index) for index, (gap, _) in enumerate(gaps) for place in gap]
    arriving = [(place, index) for index, (_, gap) in enumerate(gaps) for place in gap]
    surplus = [len(gap) - len(other_gap) for gap, other_gap in gaps]
    waiting: defaultdict[Hashable, deque[tuple[int, int]]] = defaultdict(deque)
    for key, at in zip(scope.keys([before[place] for place, _ in leaving]), leaving, strict=True):
        waiting[key].append(at)
    moved = []
    for key, (other, there) in zip(scope.keys([after[place] for place, _ in arriving]), arriving, strict=True):
        if not (candidates := waiting.get(key)):
            continue
        place, here = candidates[0]
        if _is_large(before[place]) or (surplus[here] > 0 > surplus[there]):
            candidates.popleft()
            surplus[here] -= 1
            surplus[there] += 1
            moved.append((place, other))
    return moved


def _is_large(value: Json) -> bool:
    return bool(value) if isinstance(value, dict | list) else isinstance(value, str) and len(value) >= _SMALL
