"""Three-way merge: two edits of one ancestor carried into one tree, with a `Conflict` wherever they disagree."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import UNSET

from service.core import values, words
from service.core.conflict import Conflict, Kind
from service.core.contrast import DEFAULT, names_of
from service.core.options import FamilyOptions
from service.core.place import Place, index_in, root_place, strip, strip_items
from service.core.rows import pick, placed, with_left_out
from service.core.strands import INPUTS, weave
from service.core.values import Json
from service.errors import ArrayKeyError

_CONTAINERS = {dict, list}


class ThreeWayMerge(NamedTuple):
    """A merged tree, in which conflicts stand as `Conflict`; `bounded` says that a bound made it coarser."""

    tree: Json
    bounded: bool


def merge(base: Json, edit1: Json, edit2: Json, options: FamilyOptions = DEFAULT) -> ThreeWayMerge:
    """Merge two edits. What is ignored stays as the ancestor has it. Parts of the inputs are shared.

    Laws: `merge(x, x, e)`, `merge(x, e, x)` and `merge(x, e, e)` are e, what is ignored aside; the conflicts of
    `merge(x, e, f)` are those of `merge(x, f, e)` with the sides exchanged; nothing outside a conflict is lost.

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
        if place.outside or (_same(base, edit1, place) and _same(base, edit2, place)):
            return base
        if place.passing and type(base) in _CONTAINERS:
            edit1, edit2 = _on_the_way(base, edit1, place), _on_the_way(base, edit2, place)
        nests = _nests(base, edit1, edit2)
        if not (nests or place.is_exact):
            edit1, edit2 = self._kept(base, edit1, place, first=True), self._kept(base, edit2, place, first=False)
        if place.is_exact or not nests:
            if _same(edit1, edit2, place) or _same(base, edit2, place):
                return edit1
            if _same(base, edit1, place):
                return edit2
        if nests:
            merged = (self._objects if type(edit1) is dict else self._arrays)(base, edit1, edit2, place)
            return UNSET if base is UNSET and place.passing and not merged else merged
        if self._word_by_word and type(base) is type(edit1) is type(edit2) is str:
            merged = words.merge_three(base, edit1, edit2)
            if merged is not None:
                return merged
        return Conflict(_kind(base, edit1, edit2), base, edit1, edit2)

    def _kept(self, base: Any, edit: Any, place: Place, *, first: bool) -> Any:
        """Give one edit with what is ignored, and numbers within the tolerance, as the ancestor has them."""
        if edit is base:
            return base
        if type(base) not in _CONTAINERS or type(edit) is not type(base):
            left = UNSET if edit is UNSET else strip(edit, place)
            return base if left is UNSET and place.passing else left
        return self.value(base, edit, base, place) if first else self.value(base, base, edit, place)

    def _objects(self, base: Any, edit1: dict[str, Json], edit2: dict[str, Json], place: Place) -> Json:
        merged: dict[str, Json] = {}
        base = {} if base is UNSET else base
        for name in dict.fromkeys((*names_of(edit1, edit2), *(base if place.strips else ()))):
            self._trail.append((name,) * len(INPUTS))
            value = self.value(base.get(name, UNSET), edit1.get(name, UNSET), edit2.get(name, UNSET), place.child(name))
            self._trail.pop()
            if value is not UNSET:
                merged[name] = value
        return merged

    def _arrays(self, base: list[Json], edit1: list[Json], edit2: list[Json], place: Place) -> Json:
        of_base, of_1, of_2 = (strip_items(each, place) for each in (base, edit1, edit2))
        try:
            index_of, tolerance = index_in(of_base, of_1, of_2), place.item_tolerance(of_base.indexes.__getitem__)
            strands, bounded = weave(of_base.items, of_1.items, of_2.items, place.rule, index_of, tolerance)
        except ArrayKeyError as error:
            raise placed(error, self._trail, INPUTS) from error
        self.bounded = self.bounded or bounded
        merged: list[Json] = []
        found = [(of_base.place(i), of_1.place(j), of_2.place(k)) for i, j, k in strands]
        for strand in with_left_out(found, len(base), 0, len(INPUTS)):
            self._trail.append(strand)
            i, j, k = strand
            index = next(index for index in strand if index is not None)
            value = self.value(pick(base, i), pick(edit1, j), pick(edit2, k), place.child(index))
            self._trail.pop()
            if value is not UNSET:
                merged.append(value)
        return merged


def _on_the_way(base: Json, edit: Any, place: Place) -> Any:
    """Give an edit of a container that is but the way to what takes part: where it has none of that, it is empty."""
    is_other = type(edit) is not type(base)
    return type(base)() if is_other and (edit is UNSET or strip(edit, place) is UNSET) else edit


def _nests(base: Any, edit1: Any, edit2: Any) -> bool:
    """Say whether the values are merged part by part."""
    kinds = {type(edit1), type(edit2)}
    return (kinds == {dict} and (base is UNSET or type(base) is dict)) or (kinds == {list} and type(base) is list)


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
