"""`compare`: two documents made into one delta that holds both."""

from typing import Any, NamedTuple

from msgspec import UNSET

from service.core import delta, values, words
from service.core.options import FamilyOptions
from service.core.place import Place, root_place, strip
from service.core.rows import lay_inputs, placed
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
    place = root_place(options)
    walk = _Walk(options)
    left, right = strip(before, place), strip(after, place)
    found = walk.value(left, right, place)
    return Contrast(left if found is UNSET else found, found is not UNSET, walk.bounded)


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


def same_number(before: Json, after: Json, distance: float) -> bool:
    """Say whether two values are numbers closer than the distance."""
    return (
        distance > 0 and type(before) in {int, float} and type(after) in {int, float} and abs(before - after) < distance
    )


class _Walk:
    """One comparison under way. Its methods give UNSET where nothing differs. Two frames for each level of nesting."""

    def __init__(self, options: FamilyOptions) -> None:
        self._word_by_word = options.word_by_word
        self._trail: list[tuple[str | int, str | int]] = []
        self.bounded = False

    def value(self, before: Json, after: Json, place: Place) -> Any:
        if before is after or values.equal(before, after) or same_number(before, after, place.tolerance):
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
        return UNSET if place.passing else delta.change(before, after)

    def _objects(self, before: dict[str, Json], after: dict[str, Json], place: Place) -> Any:
        differs = False
        members: dict[str, Json] = {}
        for name in names_of(before, after):
            if name not in after:
                members[name], differs = delta.change(before[name]), True
            elif name not in before:
                members[name], differs = delta.change(after=after[name]), True
            else:
                self._trail.append((name, name))
                found = self.value(before[name], after[name], place.child(name))
                self._trail.pop()
                members[name] = before[name] if found is UNSET else found
                differs = differs or found is not UNSET
        return members if differs else UNSET

    def _arrays(self, before: list[Json], after: list[Json], place: Place) -> Any:
        try:
            rows, bounded = lay_inputs(before, after, place.rule, SIDES)
        except ArrayKeyError as error:
            raise placed(error, self._trail, SIDES) from error
        self.bounded = self.bounded or bounded
        differs = False
        items: list[Json] = []
        for i, j in rows:
            if i is None or j is None:
                items.append(delta.change(UNSET if i is None else before[i], UNSET if j is None else after[j]))
                differs = True
                continue
            self._trail.append((i, j))
            found = self.value(before[i], after[j], place.child(i))
            self._trail.pop()
            items.append(before[i] if found is UNSET else found)
            differs = differs or found is not UNSET
        return items if differs else UNSET


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
