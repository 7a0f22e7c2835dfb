"""What the options of a comparison say about one place of a document: a lazy automaton over their patterns."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from msgspec import UNSET

from service.core.options import ArrayRule, FamilyOptions
from service.core.trail import Trail
from service.core.values import Json

Trails = tuple[Trail, ...]
Token = str | int


class Stripped(NamedTuple):
    """What takes part of the items of an array, and where in the array each of them stands."""

    indexes: Sequence[int]
    items: list[Json]

    def place(self, number: int | None) -> int | None:
        """Give the index in the array of one of the items; None stays None."""
        return None if number is None else self.indexes[number]


def index_in(*arrays: Stripped) -> Callable[[Sequence[Json], int], int]:
    """Give what says of the items of one of these arrays where they stand in it."""
    return lambda items, number: next(each for each in arrays if each.items is items).indexes[number]


class Place:
    """A place as the options see it; places that the patterns cannot tell apart are one object.

    `outside`: what is here takes no part. `passing`: only something deeper can take part (`only`).
    """

    __slots__ = ("_items", "_members", "_rules", "_trails", "outside", "passing", "rule", "tolerance")

    def __init__(self, rules: "_Rules", trails: Trails, *, outside: bool = False) -> None:
        self._rules, self._trails = rules, trails
        self._members: dict[str | None, Place] = {}
        self._items: dict[str | None, Place] = {}
        self.outside = outside or rules.is_outside(trails)
        self.passing = rules.is_passing(trails)
        self.rule = rules.array_rule(trails)
        self.tolerance = rules.tolerance(trails)

    def child(self, token: Token) -> "Place":
        """Give the place of a member (a name) or an item (an index)."""
        vocabulary = self._rules.vocabulary
        if not vocabulary or self.outside:
            return self
        is_index = isinstance(token, int)
        text = str(token)
        known = text if text in vocabulary else None  # of tokens that no pattern names one stands for all
        places = self._items if is_index else self._members
        found = places.get(known)
        if found is None:
            found = places[known] = self._rules.enter(self._trails, known, is_index=is_index)
        return found

    @property
    def strips(self) -> bool:
        """Whether anything can be outside at all."""
        return self._rules.strips

    def item_tolerance(self, index_of: Callable[[int], int]) -> Callable[[int], float] | None:
        """Give what says of an item how near to it a number is that counts as equal; None where nothing does.

        `index_of` says where in the array here an item stands that it is asked about.
        """
        return (lambda number: self.child(index_of(number)).tolerance) if self._rules.is_tolerant else None

    @property
    def is_exact(self) -> bool:
        """Whether nothing but equal values counts as equal, here and everywhere."""
        return self._rules.is_exact


class _Rules:
    """The patterns of all options in one row, so that one trail along each makes a place."""

    def __init__(self, options: FamilyOptions) -> None:
        diff = options.diff
        self.names = diff.ignored_names
        arrays = [(rule, rule.path) for rule in diff.arrays if rule.path is not None]
        tolerances = [(each.distance, each.path) for each in diff.tolerances if each.path is not None]
        self._array_rules = [rule for rule, _ in arrays]
        self._distances = [distance for distance, _ in tolerances]
        self._default_rule = next(
            (rule for rule in reversed(diff.arrays) if rule.path is None), ArrayRule(options.alignment)
        )
        self._default_distance = next((each.distance for each in reversed(diff.tolerances) if each.path is None), 0.0)
        patterns = (*diff.ignored_paths, *diff.only, *(path for _, path in arrays), *(path for _, path in tolerances))
        self._start = tuple(map(Trail, patterns))
        self._ignored = slice(0, len(diff.ignored_paths))
        self._only = slice(self._ignored.stop, self._ignored.stop + len(diff.only))
        self._arrays = slice(self._only.stop, self._only.stop + len(arrays))
        self._tolerances = slice(self._arrays.stop, len(patterns))
        self.strips = bool(self.names or diff.ignored_paths or diff.only)
        self.is_tolerant = bool(diff.tolerances)
        self.is_exact = not (self.strips or self.is_tolerant)
        self.vocabulary = {*self.names, *(token for pattern in patterns for token in pattern)}
        if patterns:
            self.vocabulary.add("*")
        self._places: dict[tuple[Trails, bool], Place] = {}

    def root(self) -> Place:
        return self._place(self._start, outside=False)

    def enter(self, trails: Trails, token: str | None, *, is_index: bool) -> Place:
        following = tuple([trail.step(token) for trail in trails])
        return self._place(following, outside=not is_index and token in self.names)

    def is_outside(self, trails: Trails) -> bool:
        only = trails[self._only]
        return any(trail.covered for trail in trails[self._ignored]) or (
            bool(only) and all(trail.is_lost for trail in only)
        )

    def is_passing(self, trails: Trails) -> bool:
        only = trails[self._only]
        return bool(only) and not any(trail.covered for trail in only)

    def array_rule(self, trails: Trails) -> ArrayRule:
        """Give the last rule whose pattern matches here, not above."""
        fitting = zip(self._array_rules, trails[self._arrays], strict=True)
        return [self._default_rule, *(rule for rule, trail in fitting if trail.matched)][-1]

    def tolerance(self, trails: Trails) -> float:
        fitting = zip(self._distances, trails[self._tolerances], strict=True)
        return [self._default_distance, *(each for each, trail in fitting if trail.covered)][-1]

    def _place(self, trails: Trails, *, outside: bool) -> Place:
        key = (trails, outside)
        if key not in self._places:
            self._places[key] = Place(self, trails, outside=outside)
        return self._places[key]


def root_place(options: FamilyOptions) -> Place:
    """Give the place of the whole document."""
    return _Rules(options).root()


def strip(value: Json, place: Place) -> Any:
    """Give the value without what takes no part; the value itself where everything does, UNSET where nothing does.

    >>> from service.core.options import DiffOptions
    >>> strip({"a": 1, "b": 2}, root_place(FamilyOptions(DiffOptions(ignored_names=frozenset({"b"})))))
    {'a': 1}
    """
    if not place.strips:
        return value
    if place.outside:
        return UNSET
    kind = type(value)
    if kind is dict:
        members = {name: strip(member, place.child(name)) for name, member in value.items()}
        kept = {name: member for name, member in members.items() if member is not UNSET}
        return kept if kept or not place.passing else UNSET
    if kind is list:
        stripped = [strip(item, place.child(index)) for index, item in enumerate(value)]
        items = [item for item in stripped if item is not UNSET]
        return items if items or not place.passing else UNSET
    return UNSET if place.passing else value


def strip_items(items: list[Json], place: Place) -> Stripped:
    """Give the items of an array that take part, without what takes no part in them.

    Containers on the way to what takes part keep their places among the others, even where nothing is left of them.
    """
    if not place.strips:
        return Stripped(range(len(items)), items)
    kept: dict[int, Json] = {}
    for index, item in enumerate(items):
        left = strip(item, place.child(index))
        if left is not UNSET:
            kept[index] = left
        elif type(item) in {dict, list} and not place.child(index).outside:
            kept[index] = type(item)()
    return Stripped([*kept], [*kept.values()])
