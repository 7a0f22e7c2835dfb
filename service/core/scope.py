"""Which options hold at a place of the documents, and what being equal means there."""

import operator
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import Protocol, TypeVar

from service.core import values
from service.core.options import ArrayRule, DiffOptions, Pattern
from service.core.trail import Trail
from service.core.values import Json

_IN_ORDER = ArrayRule("inOrder")


@lru_cache(maxsize=64)
def scope_of(options: DiffOptions, strict: bool = False) -> "Scope":
    """Give the scope of the whole document; with `strict` no scope is plain."""
    return Scope(options, strict=strict)


class _Placed(Protocol):
    @property
    def path(self) -> Pattern | None: ...


_Rule = TypeVar("_Rule", bound=_Placed)


class Scope:
    """The options that hold at one place. Where nothing depends on the place, one scope serves all.

    `differ` says whether two values differ there. In a `plain` scope it is Python's `!=`, which is many times faster
    than the truth: what it calls equal has to be confirmed by `values.confirm`.
    """

    def __init__(
        self,
        options: DiffOptions,
        *,
        strict: bool = False,
        trails: dict[Pattern, Trail] | None = None,
        places: Sequence[int] = (),
    ) -> None:
        if trails is None:
            rules: tuple[_Placed, ...] = (*options.arrays, *options.tolerances, *options.moves, *options.invertible)
            trails = {rule.path: Trail(rule.path) for rule in rules if rule.path is not None}
        self._options = options
        self._strict = strict
        self._trails = trails
        self._literals = {token for pattern in trails for token in pattern}
        self._below: dict[str | None, Scope] = {}
        self._places = places
        self.is_uniform = not trails
        self.moves = any(rule.enabled for rule in self._last_covering(options.moves))
        self.invertible = any(rule.enabled for rule in self._last_covering(options.invertible))
        self.arrays = self._last_array_rule()
        self._distance = max((rule.distance for rule in self._last_covering(options.tolerances)), default=0.0)
        self.is_tolerant = bool(self._distance) or any(
            rule.path is not None and not trails[rule.path].is_lost for rule in options.tolerances
        )
        self.is_plain = not (strict or options.tolerances)  # a tolerant scope above asks and confirms nothing
        self.is_in_order = self.arrays.alignment == "inOrder"
        self.is_simple = self.is_plain and self.is_uniform and not self.moves
        self.differ: Callable[[Json, Json], bool] = operator.ne if self.is_plain else self._differ

    def at(self, token: str | int) -> "Scope":
        """Give the scope one step below."""
        if self.is_uniform:
            return self
        text = str(self._places[token] if isinstance(token, int) and token < len(self._places) else token)
        key = text if text in self._literals else None
        scope = self._below.get(key)
        if scope is None:
            trails = {pattern: trail.step(text) for pattern, trail in self._trails.items()}
            scope = self._below[key] = Scope(self._options, strict=self._strict, trails=trails)
        return scope

    def over(self, places: Sequence[int] | None) -> "Scope":
        """Give the scope of an array from which items have been left out; those that are left stand at `places`."""
        if places is None or self.is_uniform:
            return self
        return Scope(self._options, strict=self._strict, trails=self._trails, places=places)

    def keys(self, items: Sequence[Json]) -> Sequence[Hashable]:
        """Give keys that are equal where items are; under a tolerance where their numbers round alike."""
        if not self.is_tolerant:
            return values.keys(items)
        return values.keys([self.at(index).rounded(item) for index, item in enumerate(items)])

    def _differ(self, before: Json, after: Json) -> bool:
        if not self.is_tolerant:
            return not values.equal(before, after)
        if isinstance(before, dict) and isinstance(after, dict):
            return before.keys() != after.keys() or any(
                self.at(name).differ(member, after[name]) for name, member in before.items()
            )
        if isinstance(before, list) and isinstance(after, list):
            return len(before) != len(after) or any(
                self.at(index).differ(item, other)
                for index, (item, other) in enumerate(zip(before, after, strict=True))
            )
        return not (values.near(before, after, self._distance) or values.equal(before, after))

    def rounded(self, value: Json) -> Json:
        """Round the numbers that a tolerance covers to a multiple of it."""
        if isinstance(value, dict):
            return {name: self.at(name).rounded(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.at(index).rounded(item) for index, item in enumerate(value)]
        if not (self._distance and _is_number(value)):
            return value
        try:
            return round(value / self._distance)
        except OverflowError:
            return value

    def _last_covering(self, rules: Sequence[_Rule]) -> list[_Rule]:
        """Give the last rule that holds here, in a list, or none."""
        return [rule for rule in rules if rule.path is None or self._trails[rule.path].covered][-1:]

    def _last_array_rule(self) -> ArrayRule:
        """Give the last rule whose pattern matches here: rules on arrays do not reach into the items."""
        fitting = [rule for rule in self._options.arrays if rule.path is None or self._trails[rule.path].matched]
        return fitting[-1] if fitting else _IN_ORDER


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
