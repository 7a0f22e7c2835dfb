"""Two-way merge: one document with what either of two has; where both have something, that of the preferred side."""

from typing import Any, Literal, NamedTuple

from msgspec import UNSET

from service.core import values, words
from service.core.contrast import DEFAULT, SIDES, names_of
from service.core.options import FamilyOptions
from service.core.place import Place, index_in, root_place, strip, strip_items
from service.core.rows import lay_inputs, placed, with_left_out
from service.core.values import Json
from service.errors import ArrayKeyError

Priority = Literal["a", "b"]


class TwoWayMerge(NamedTuple):
    """The merged document; `bounded` says that items that are the same may stand in it twice."""

    document: Json
    bounded: bool


def merge(a: Json, b: Json, priority: Priority = "a", options: FamilyOptions = DEFAULT) -> TwoWayMerge:
    """Merge two documents. What is ignored comes from the preferred side alone. Parts of the inputs are shared.

    >>> merge({"x": 1, "l": [1]}, {"x": 2, "y": 3, "l": [2]}).document
    {'x': 1, 'y': 3, 'l': [1, 2]}
    """
    walk = _Walk(priority, word_by_word=options.word_by_word)
    return TwoWayMerge(walk.value(a, b, root_place(options)), walk.bounded)


class _Walk:
    """One merge under way. Two frames for each level of nesting."""

    def __init__(self, priority: Priority, *, word_by_word: bool) -> None:
        self._prefer_b = priority == "b"
        self._word_by_word = word_by_word
        self._trail: list[tuple[str | int, str | int]] = []
        self.bounded = False

    def value(self, a: Json, b: Json, place: Place) -> Json:
        preferred = b if self._prefer_b else a
        kind = type(a)
        if place.outside or kind is not type(b) or values.equal(a, b):
            return preferred
        if kind is dict:
            return self._objects(a, b, place)
        if kind is list:
            return self._arrays(a, b, place)
        if kind is str and self._word_by_word and not place.passing:
            merged = words.merge(a, b, prefer_after=self._prefer_b)
            return preferred if merged is None else merged
        return preferred

    def _objects(self, a: dict[str, Json], b: dict[str, Json], place: Place) -> Json:
        merged: dict[str, Json] = {}
        for name in names_of(a, b):
            inner = place.child(name)
            if name in a and name in b:
                self._trail.append((name, name))
                merged[name] = self.value(a[name], b[name], inner)
                self._trail.pop()
            else:
                of_b = name in b
                value = self._alone(b[name] if of_b else a[name], inner, of_b=of_b)
                if value is not UNSET:
                    merged[name] = value
        return merged

    def _arrays(self, a: list[Json], b: list[Json], place: Place) -> Json:
        left, right = strip_items(a, place), strip_items(b, place)
        try:
            tolerance = place.item_tolerance(left.indexes.__getitem__)
            rows, bounded = lay_inputs(left.items, right.items, place.rule, SIDES, index_in(left, right), tolerance)
        except ArrayKeyError as error:
            raise placed(error, self._trail, SIDES) from error
        self.bounded = self.bounded or bounded
        merged: list[Json] = []
        found = [(left.place(i), right.place(j)) for i, j in rows]
        for i, j in with_left_out(found, len(b if self._prefer_b else a), int(self._prefer_b)):
            if i is not None and j is not None:
                self._trail.append((i, j))
                merged.append(self.value(a[i], b[j], place.child(i)))
                self._trail.pop()
            elif i is not None:
                merged.append(self._alone(a[i], place.child(i), of_b=False))
            elif j is not None:
                merged.append(self._alone(b[j], place.child(j), of_b=True))
        return [item for item in merged if item is not UNSET]

    def _alone(self, value: Json, place: Place, *, of_b: bool) -> Any:
        """Give what only one side has: of the preferred one all of it, of the other one what takes part."""
        return value if of_b == self._prefer_b else strip(value, place)
