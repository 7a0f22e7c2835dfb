"""Three arrays laid side by side: which items of an ancestor and of two edits of it are one item."""

from itertools import zip_longest
from typing import NamedTuple

from service.core.alignment import Block, align
from service.core.identity import key
from service.core.options import ArrayRule
from service.core.orderless import DistanceOf, match_equal
from service.core.rows import IndexOf, Row, as_given, lay, lay_inputs
from service.core.values import Json

INPUTS = ("ancestor", "edit1", "edit2")
_UNORDERED = frozenset({"orderless", "keyed"})


class Strand(NamedTuple):
    """The indexes of one item in the ancestor and in each edit; None where it is not."""

    base: int | None
    edit1: int | None
    edit2: int | None


class Woven(NamedTuple):
    """Every item of the three arrays once, those of the ancestor in order."""

    strands: list[Strand]
    bounded: bool


def weave(
    base: list[Json],
    edit1: list[Json],
    edit2: list[Json],
    rule: ArrayRule,
    index_of: IndexOf = as_given,
    tolerance: DistanceOf | None = None,
) -> Woven:
    """Lay three arrays side by side. Raises what `lay_inputs` raises, by the names of the inputs.

    What an edit adds stands behind what it follows there. Where both edits add in one place: equal items are one;
    `orderless` keeps the others apart, `keyed` joins those of equal keys, and else the rest is laid item by item, so
    that each such strand is a conflict.

    >>> weave([1, 2], [1, 3, 2], [2], ArrayRule("inOrder")).strands
    [Strand(base=0, edit1=0, edit2=None), Strand(base=None, edit1=1, edit2=None), Strand(base=1, edit1=2, edit2=0)]
    """
    left = lay_inputs(base, edit1, rule, (INPUTS[0], INPUTS[1]), index_of, tolerance)
    right = lay_inputs(base, edit2, rule, (INPUTS[0], INPUTS[2]), index_of, tolerance)
    ours, theirs = _Edit(left.rows), _Edit(right.rows)
    joined = _join(ours, theirs, edit1, edit2, rule)
    claimed = set(joined.values())
    woven: list[Strand] = []
    for anchor in range(-1, len(base)):
        if anchor >= 0:
            woven.append(Strand(anchor, ours.partners.get(anchor), theirs.partners.get(anchor)))
        mine, yours = ours.added.get(anchor, []), theirs.added.get(anchor, [])
        if rule.alignment in _UNORDERED:
            woven += [Strand(None, j, joined.get(j)) for j in mine]
            woven += [Strand(None, None, k) for k in yours if k not in claimed]
        else:
            woven += _lay_added(mine, yours, edit1, edit2)
    return Woven(woven, left.bounded or right.bounded)


class _Edit:
    """What an edit has for each item of the ancestor, and what it adds behind which (-1: before the first)."""

    def __init__(self, rows: list[Row]) -> None:
        self.partners: dict[int, int] = {}
        self.added: dict[int, list[int]] = {}
        anchor = -1
        for i, j in rows:
            if i is not None:
                anchor = i
            if j is not None and i is not None:
                self.partners[i] = j
            elif j is not None:
                self.added.setdefault(anchor, []).append(j)

    @property
    def additions(self) -> list[int]:
        """All that is added."""
        return [j for run in self.added.values() for j in run]


def _join(ours: _Edit, theirs: _Edit, edit1: list[Json], edit2: list[Json], rule: ArrayRule) -> dict[int, int]:
    """Find, where order is set aside, what both edits add: equal items, or items of equal keys."""
    mine, yours = ours.additions, theirs.additions
    left, right = [edit1[j] for j in mine], [edit2[k] for k in yours]
    if rule.alignment == "keyed":
        return {mine[i]: yours[j] for i, j in lay(left, right, rule).rows if i is not None and j is not None}
    if rule.alignment == "orderless":
        return {mine[i]: yours[j] for i, j in enumerate(match_equal(left, right)) if j is not None}
    return {}


def _lay_added(mine: list[int], yours: list[int], edit1: list[Json], edit2: list[Json]) -> list[Strand]:
    """Lay what both add in one place: equal runs are one, and between them item stands against item."""
    laid: list[Strand] = []
    i = j = 0
    ends = [Block(len(mine), len(yours), 0)]
    blocks = align([key(edit1[k]) for k in mine], [key(edit2[k]) for k in yours]).blocks
    for start, other, length in (*blocks, *ends):
        laid += [Strand(None, left, right) for left, right in zip_longest(mine[i:start], yours[j:other])]
        i, j = start + length, other + length
        laid += [Strand(None, mine[start + k], yours[other + k]) for k in range(length)]
    return laid
