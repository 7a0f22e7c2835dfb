"""`compare`: two documents made into one delta that holds both."""

from functools import partial
from typing import Any, NamedTuple

from msgspec import UNSET

from service.core import delta, values, words
from service.core.options import FamilyOptions
from service.core.place import Place, root_place
from service.core.prune import NOTHING, Pruning
from service.core.rows import lay_inputs, pick, placed
from service.core.values import Json
from service.errors import ArrayKeyError

DEFAULT = FamilyOptions()
SIDES = ("a", "b")
"""The inputs by what `lay` calls them."""


class Contrast(NamedTuple):
    """A delta of full context; `bounded` says that a bound made it coarser than it could be."""

    delta: Json
    differs: bool
    bounded: bool


def contrast(before: Json, after: Json, options: FamilyOptions = DEFAULT) -> Contrast:
    """Lay B over A. What is ignored is left out of the delta. Parts of the inputs are shared with it, not changed.

    Laws: `rebuild(delta, "A")` is A and `rebuild(delta, "B")` is B, the ignored aside; where arrays are `orderless` or
    `keyed`, up to the order of their items.

    >>> contrast({"a": 1, "b": [1, 2]}, {"a": 1, "b": [2]}).delta
    {'a': 1, 'b': [{'dx_delta': {'A': 1}}, 2]}
    """
    place, pruning = root_place(options), Pruning(options.diff)
    left, right = (pruning.prune(before), pruning.prune(after)) if place.strips else (before, after)
    walk = _Walk(pruning, word_by_word=options.word_by_word)
    found = walk.value(left, right, place)
    if found is not UNSET:
        return Contrast(found, differs=True, bounded=walk.bounded)
    return Contrast(_empty(before) if left is NOTHING else left, differs=False, bounded=walk.bounded)


def changes_only(full: Json) -> Json:
    """Leave out of a delta what did not change; `{}` for one without changes. It cannot be grafted or rebuilt.

    >>> changes_only({"a": 1, "b": [1, {"dx_delta": {"B": 2}}]})
    {'b': [{'dx_delta': {'B': 2}}]}
    """
    found = _changes(full)
    return {} if found is UNSET else found


def names_of(before: dict[str, Json], after: dict[str, Json]) -> list[str]:
    """Give the names of both in the order of `after`; what only `before` has comes before the name that follows it."""
    following: dict[str, list[str]] = {}
    run: list[str] = []
    for name in before:
        if name in after:
            following[name], run = run, []
        else:
            run.append(name)
    names: list[str] = []
    for name in after:
        names += following.get(name, ())
        names.append(name)
    return names + run


class _Walk:
    """One comparison under way. Its methods give UNSET where nothing differs. Two frames for each level of nesting."""

    def __init__(self, pruning: Pruning, *, word_by_word: bool) -> None:
        self._pruning = pruning
        self._word_by_word = word_by_word
        self._trail: list[tuple[str | int, str | int]] = []
        self.bounded = False

    def value(self, before: Json, after: Json, place: Place) -> Any:
        if before is after or values.equal(before, after) or values.near(before, after, place.tolerance):
            return UNSET
        kind = type(before)
        if kind is type(after):
            if kind is dict:
                return self._objects(before, after, place)
            if kind is list:
                return self._arrays(before, after, place)
            if kind is str and self._word_by_word:
                pieces = words.compare(before, after)
                if pieces is not None:
                    return delta.string_change(pieces)
        return self._change(before, after)

    def _change(self, before: Any, after: Any) -> Any:
        """Make the mark of a change of what takes part; containers that are but the way to it may hold nothing."""
        old, new = (UNSET if each is NOTHING or id(each) in self._pruning.hollow else each for each in (before, after))
        return UNSET if old is UNSET and new is UNSET else delta.change(old, new)

    def _objects(self, before: dict[str, Json], after: dict[str, Json], place: Place) -> Any:
        differs = False
        members: dict[str, Json] = {}
        for name in names_of(before, after):
            if name in before and name in after:
                self._trail.append((name, name))
                found = self.value(before[name], after[name], place.child(name))
                self._trail.pop()
                members[name] = before[name] if found is UNSET else found
                differs = differs or found is not UNSET
            elif (change := self._change(before.get(name, UNSET), after.get(name, UNSET))) is not UNSET:
                members[name], differs = change, True
        return members if differs else UNSET

    def _arrays(self, before: list[Json], after: list[Json], place: Place) -> Any:
        index_of = self._pruning.place_of
        tolerance = place.item_tolerance(partial(index_of, before))
        try:
            rows, bounded = lay_inputs(before, after, place.rule, SIDES, index_of, tolerance)
        except ArrayKeyError as error:
            raise placed(error, self._trail, SIDES) from error
        self.bounded = self.bounded or bounded
        differs = False
        items: list[Json] = []
        for i, j in rows:
            if i is not None and j is not None:
                at = index_of(before, i)
                self._trail.append((at, index_of(after, j)))
                found = self.value(before[i], after[j], place.child(at))
                self._trail.pop()
                items.append(before[i] if found is UNSET else found)
                differs = differs or found is not UNSET
            elif (change := self._change(pick(before, i), pick(after, j))) is not UNSET:
                items.append(change)
                differs = True
        return items if differs else UNSET


def _empty(value: Json) -> Json:
    """Give what stands for a document of which nothing takes part."""
    return type(value)() if isinstance(value, dict | list) else value


def _changes(full: Json) -> Any:
    if delta.is_change(full):
        return full
    kind = type(full)
    if kind is dict:
        members: dict[str, Json] = {}
        for name, member in full.items():
            found = _changes(member)
            if found is not UNSET:
                members[name] = found
        return members or UNSET
    if kind is list:
        items: list[Json] = []
        for item in full:
            found = _changes(item)
            if found is not UNSET:
                items.append(found)
        return items or UNSET
    return UNSET
