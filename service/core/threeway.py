"""Three-way merge: two edits of one ancestor carried into one tree, with a `Conflict` wherever they disagree."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import UNSET

from service.core import values, words
from service.core.conflict import Conflict, Kind
from service.core.contrast import DEFAULT, names_of
from service.core.options import FamilyOptions
from service.core.place import Place, root_place
from service.core.rows import placed
from service.core.strands import INPUTS, weave
from service.core.twoway import strip_items
from service.core.values import Json
from service.errors import ArrayKeyError


class ThreeWayMerge(NamedTuple):
    """A merged tree, in which conflicts stand as `Conflict`; `bounded` says that a bound made it coarser."""

    tree: Json
    bounded: bool


def merge(base: Json, edit1: Json, edit2: Json, options: FamilyOptions = DEFAULT) -> ThreeWayMerge:
    """Merge two edits. What is ignored stays as the ancestor has it. Parts of the inputs are shared.

    Laws: `merge(x, x, e)`, `merge(x, e, x)` and `merge(x, e, e)` are e; the conflicts of `merge(x, e, f)` are those of
    `merge(x, f, e)` with the sides exchanged; nothing outside a conflict is lost.

    >>> merge({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 3}).tree
    {'a': 2, 'b': 3}
    """
    walk = _Walk(word_by_word=options.word_by_word)
    return ThreeWayMerge(walk.value(base, edit1, edit2, root_place(options)), walk.bounded)


class _Walk:
    """One merge under way; UNSET stands for what a document does not have."""

    def __init__(self, *, word_by_word: bool) -> None:
        self._word_by_word = word_by_word
        self._trail: list[Sequence[str | int | None]] = []
        self.bounded = False

    def value(self, base: Any, edit1: Any, edit2: Any, place: Place) -> Any:
        """Merge one value; UNSET where it is deleted."""
        if place.outside:
            return base
        if _same(edit1, edit2, place) or _same(base, edit2, place):
            return edit1
        if _same(base, edit1, place):
            return edit2
        return self._both_changed(base, edit1, edit2, place)

    def _both_changed(self, base: Any, edit1: Any, edit2: Any, place: Place) -> Any:
        kinds = {type(edit1), type(edit2)}
        if kinds == {dict} and (base is UNSET or type(base) is dict):
            return self._objects({} if base is UNSET else base, edit1, edit2, place)
        if kinds == {list} and type(base) is list:
            return self._arrays(base, edit1, edit2, place)
        if kinds == {str} and type(base) is str and self._word_by_word and not place.passing:
            merged = words.merge_three(base, edit1, edit2)
            if merged is not None:
                return merged
        return base if place.passing else Conflict(_kind(base, edit1, edit2), base, edit1, edit2)

    def _objects(self, base: dict[str, Json], edit1: dict[str, Json], edit2: dict[str, Json], place: Place) -> Json:
        merged: dict[str, Json] = {}
        known = dict.fromkeys(names_of(edit1, edit2))
        for name in (*known, *(name for name in base if name not in known and place.child(name).outside)):
            self._trail.append((name,) * len(INPUTS))
            value = self.value(base.get(name, UNSET), edit1.get(name, UNSET), edit2.get(name, UNSET), place.child(name))
            self._trail.pop()
            if value is not UNSET:
                merged[name] = value
        return merged

    def _arrays(self, base: list[Json], edit1: list[Json], edit2: list[Json], place: Place) -> Json:
        compared = [strip_items(each, place) for each in (base, edit1, edit2)]
        try:
            strands, bounded = weave(compared[0], compared[1], compared[2], place.rule)
        except ArrayKeyError as error:
            raise placed(error, self._trail, INPUTS) from error
        self.bounded = self.bounded or bounded
        merged: list[Json] = []
        for strand in strands:
            self._trail.append(strand)
            found = _pick(base, strand.base), _pick(edit1, strand.edit1), _pick(edit2, strand.edit2)
            index = next(index for index in strand if index is not None)
            value = self.value(*found, place.child(index))
            self._trail.pop()
            if value is not UNSET:
                merged.append(value)
        return merged


def _pick(items: list[Json], index: int | None) -> Any:
    return UNSET if index is None else items[index]


def _same(left: Any, right: Any, place: Place) -> bool:
    if left is UNSET or right is UNSET:
        return left is right
    return left is right or values.equal(left, right) or values.near(left, right, place.tolerance)


def _kind(base: Any, edit1: Any, edit2: Any) -> Kind:
    if base is UNSET:
        return "add/add"
    if edit1 is UNSET:
        return "delete/modify"
    return "modify/delete" if edit2 is UNSET else "modify/modify"
