"""Items of two arrays that are the same because their keys are, as data bases have it."""

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from service.core import identity
from service.core.options import ArrayRule
from service.core.pairing import Pair
from service.core.values import Json
from service.errors import ArrayKeyError, Violation

_MAX_VIOLATIONS = 100


class Fault(NamedTuple):
    """An item that lacks a key, or has the keys of its twin: its place in the array of the side `before` or `after`."""

    side: str
    place: int
    twin: int | None = None


class BadKeysError(Exception):
    """Two arrays cannot be paired by keys. Never leaves the core: `refused` makes an `ArrayKeyError` of it."""

    def __init__(self, before: Sequence[Json], after: Sequence[Json], faults: list[Fault], keys: Sequence[str]) -> None:
        super().__init__("items lack keys or share them")
        self.arrays = {"before": before, "after": after}
        self._faults = faults
        self._keys = keys

    def refused(self, locate: Callable[[str, int], str]) -> ArrayKeyError:
        """Make the error that tells of the items; `locate` gives the pointer of an item of a side."""
        told = [
            fault(each.side, locate(each.side, each.place), None if each.twin is None else locate(each.side, each.twin))
            for each in self._faults[:_MAX_VIOLATIONS]
        ]
        return refusal(told, self._keys)


def pair_by_keys(before: Sequence[Json], after: Sequence[Json], rule: ArrayRule) -> list[Pair] | None:
    """Pair the items whose values at `rule.keys` are equal, in the order of `before`.

    Raises `BadKeysError` where a key is missing or repeated; or the answer is None, if the rule says so.
    """
    places, faults = _places("before", before, rule.keys)
    other_places, other_faults = _places("after", after, rule.keys)
    faults.extend(other_faults)
    if faults and rule.on_key_error == "inOrder":
        return None
    if faults:
        raise BadKeysError(before, after, faults, rule.keys)
    return [(place, other_places[key]) for key, place in places.items() if key in other_places]


def fault(name: str, pointer: str, twin: str | None = None) -> Violation:
    """Say that an item of the input `name` lacks a key, or has the keys of its twin."""
    said = "lacks a key" if twin is None else f"has the keys of {twin}"
    return Violation(code=ArrayKeyError.code, detail=f"The item {pointer} {said}.", pointer=pointer, input=name)


def refusal(faults: Sequence[Violation], keys: Sequence[str]) -> ArrayKeyError:
    """Give the error for an array whose items cannot be paired by `keys`."""
    detail = f"{faults[0].detail} Items are paired by {', '.join(keys) or 'no key at all'}."
    return ArrayKeyError(detail, violations=tuple(faults[:_MAX_VIOLATIONS]))


def _places(side: str, items: Sequence[Json], keys: tuple[str, ...]) -> tuple[dict[Hashable, int], list[Fault]]:
    places: dict[Hashable, int] = {}
    faults = []
    for index, item in enumerate(items):
        key = _key(item, keys)
        if key is None:
            faults.append(Fault(side, index))
        elif key in places:
            faults.append(Fault(side, index, places[key]))
        else:
            places[key] = index
    return places, faults


def _key(item: Json, keys: tuple[str, ...]) -> Hashable | None:
    if not isinstance(item, dict) or not keys or any(key not in item for key in keys):
        return None
    return tuple(identity.key(item[key]) for key in keys)
