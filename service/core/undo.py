"""Taking a change back after others came: a three-way merge that keeps what they did where the two do not touch."""

from typing import Any, NamedTuple

from service.core import values
from service.core.alignment import align
from service.core.pointer import format_pointer
from service.core.values import Json

Path = tuple[str | int, ...]

_ABSENT: Any = object()


class Clash(NamedTuple):
    """A place of the present document that a later change touched too.

    `left` is what the change to be taken back had left there, `stands` what stands there now; `absent` says which of
    the two is not there at all.
    """

    pointer: str
    left: Json
    stands: Json
    absent: frozenset[str]


class TakenBack(NamedTuple):
    """The document without the change, and what stands in the way: with clashes the document means nothing."""

    document: Json
    clashes: list[Clash]


def take_back(before: Json, after: Json, present: Json) -> TakenBack:
    """Undo in `present` what led from `before` to `after`; no document is changed, the result shares their parts.

    Laws: with `present == after` the result is `before`; with `before == after` it is `present`.

    >>> take_back({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 2, "b": 3}).document
    {'a': 1, 'b': 3}
    >>> take_back({"a": 1}, {"a": 2}, {"a": 3}).clashes[0].pointer
    '/a'
    """
    clashes: list[Clash] = []
    return TakenBack(_merge((), before, after, present, clashes), clashes)


def _merge(path: Path, before: Json, after: Json, present: Json, clashes: list[Clash]) -> Json:
    if _equal(before, after) or _equal(before, present):
        return present
    if _equal(after, present):
        return before
    kinds = {type(before), type(after), type(present)}
    if kinds == {dict}:
        return _merge_objects(path, before, after, present, clashes)
    if kinds == {list}:
        return _merge_arrays(path, before, after, present, clashes)
    return _clash(path, after, present, clashes)


def _merge_objects(
    path: Path, before: dict[str, Json], after: dict[str, Json], present: dict[str, Json], clashes: list[Clash]
) -> dict[str, Json]:
    """Merge member by member, in the order of the present document; what comes back comes last."""
    merged: dict[str, Json] = {}
    for name in (*present, *(name for name in before if name not in present)):
        was, became, stands = (each.get(name, _ABSENT) for each in (before, after, present))
        value = _merge((*path, name), was, became, stands, clashes)
        if value is not _ABSENT:
            merged[name] = value
    return merged


class _Run(NamedTuple):
    """Stretches of the three arrays between items that all have in common.

    `start` is where the present one begins. `was` and `stands` say which items of `after` are in the other two, and
    where there.
    """

    before: list[Json]
    after: list[Json]
    present: list[Json]
    start: int
    was: dict[int, int]
    stands: dict[int, int]


def _merge_arrays(
    path: Path, before: list[Json], after: list[Json], present: list[Json], clashes: list[Clash]
) -> list[Json]:
    """Merge stretch by stretch; what is in the way is an item that neither of the other two has as it was left."""
    merged: list[Json] = []
    for run in _runs(before, after, present):
        if values.equal(run.before, run.after) or values.equal(run.before, run.present):
            merged += run.present
        elif values.equal(run.after, run.present):
            merged += run.before
        elif run.was.keys() | run.stands.keys() == set(range(len(run.after))):
            merged += _weave(run)
        elif len(run.before) == len(run.after) == len(run.present):
            items = zip(run.before, run.after, run.present, strict=True)
            merged += [_merge((*path, run.start + at), *item, clashes) for at, item in enumerate(items)]
        else:
            merged += _clash(path, run.after, run.present, clashes)
    return merged


def _weave(run: _Run) -> list[Json]:
    """Put together what only one side has: every item that was left is gone on the one side or on the other."""
    woven: list[Json] = []
    b = p = 0
    for at in (*range(len(run.after)), None):
        b_end = len(run.before) if at is None else run.was.get(at, b)
        p_end = len(run.present) if at is None else run.stands.get(at, p)
        woven += run.before[b:b_end] + run.present[p:p_end]
        b, p = b_end + (at in run.was), p_end + (at in run.stands)
    return woven


def _runs(before: list[Json], after: list[Json], present: list[Json]) -> list[_Run]:
    """Cut the arrays at the items that are the same in all three; every such item is a run of its own."""
    in_before, in_present = _places(after, before), _places(after, present)
    runs: list[_Run] = []
    b = a = p = 0
    for at in (*sorted(in_before.keys() & in_present.keys()), None):
        b_end, p_end = (len(before), len(present)) if at is None else (in_before[at], in_present[at])
        a_end = len(after) if at is None else at
        was = {each - a: in_before[each] - b for each in range(a, a_end) if each in in_before}
        stands = {each - a: in_present[each] - p for each in range(a, a_end) if each in in_present}
        runs.append(_Run(before[b:b_end], after[a:a_end], present[p:p_end], p, was, stands))
        if at is not None:
            runs.append(_Run([before[b_end]], [after[at]], [present[p_end]], p_end, {0: 0}, {0: 0}))
        b, a, p = b_end + 1, a_end + 1, p_end + 1
    return runs


def _places(after: list[Json], other: list[Json]) -> dict[int, int]:
    """Say for items of `after` where they are in the other array."""
    blocks = align([_key(item) for item in after], [_key(item) for item in other]).blocks
    return {block.before + at: block.after + at for block in blocks for at in range(block.length)}


def _key(item: Json) -> bytes:
    return values.encode_sorted(item)


def _equal(left: Json, right: Json) -> bool:
    if left is _ABSENT or right is _ABSENT:
        return left is right
    return values.equal(left, right)


def _clash(path: Path, after: Json, present: Json, clashes: list[Clash]) -> Json:
    absent = frozenset(name for name, value in (("left", after), ("stands", present)) if value is _ABSENT)
    left, stands = (None if value is _ABSENT else value for value in (after, present))
    clashes.append(Clash(format_pointer(path), left, stands, absent))
    return present
