"""Leave out of two documents what a comparison is to ignore, and remember what may not be touched because of it."""

from service.core.options import DiffOptions, Pattern
from service.core.trail import Trail
from service.core.values import Json

NOTHING = object()
"""What is left of a value of which nothing takes part."""


class Pruning:
    """The documents of one comparison without what is ignored. What it remembers, it knows by `id`."""

    def __init__(self, options: DiffOptions) -> None:
        self._options = options
        self.originals: dict[int, Json] = {}
        """Pruned containers that lost something, here or below, and what they were. They may not be replaced."""
        self.outside: set[int] = set()
        """Containers that are on the way to what `only` names, and do not take part themselves: never removed."""
        self.hollow: set[int] = set()
        """Those of them with nothing in them that takes part: never added."""
        self.places: dict[int, list[int]] = {}
        """Pruned arrays that lost items, and where in the document each item stands that is left."""

    def prune(self, value: Json) -> Json:
        """Give the value without what is ignored; the value itself is not changed, and shared where nothing is lost."""
        ignored = {pattern: Trail(pattern) for pattern in self._options.ignored_paths}
        only = {pattern: Trail(pattern) for pattern in self._options.only}
        return self._pruned(value, _Sieve(ignored, only))

    def _pruned(self, value: Json, sieve: "_Sieve") -> Json:
        if sieve.is_shut:
            return NOTHING
        if isinstance(value, dict):
            result: Json = {}
            for name, member in value.items():
                left = NOTHING if name in self._options.ignored_names else self._pruned(member, sieve.at(name))
                if left is not NOTHING:
                    result[name] = left
            return self._remembered(value, result, list(result.values()), sieve)
        if isinstance(value, list):
            items = [self._pruned(item, sieve.at(index)) for index, item in enumerate(value)]
            result = [item for item in items if item is not NOTHING]
            if len(result) < len(items):
                self.places[id(result)] = [place for place, item in enumerate(items) if item is not NOTHING]
            return self._remembered(value, result, result, sieve)
        return value if sieve.is_inside else NOTHING

    def _remembered(self, value: Json, result: Json, children: list[Json], sieve: "_Sieve") -> Json:
        lost = len(result) < len(value) or any(id(child) in self.originals for child in children)
        if sieve.is_inside and not lost:
            return value
        if lost:
            self.originals[id(result)] = value
        if not sieve.is_inside:
            self.outside.add(id(result))
            if all(id(child) in self.hollow for child in children):
                self.hollow.add(id(result))
        return result


class _Sieve:
    """What takes part at one place: nothing where it is shut, the value itself where the place is inside."""

    def __init__(self, ignored: dict[Pattern, Trail], only: dict[Pattern, Trail]) -> None:
        self._ignored = ignored
        self._only = only
        self._literals = {token for pattern in (*ignored, *only) for token in pattern}
        self._below: dict[str | None, _Sieve] = {}
        self.is_inside = not only or any(trail.covered for trail in only.values())
        self.is_shut = any(trail.covered for trail in ignored.values()) or (
            bool(only) and all(trail.is_lost for trail in only.values())
        )

    def at(self, token: str | int) -> "_Sieve":
        if not self._literals:
            return self
        text = str(token)
        key = text if text in self._literals else None
        sieve = self._below.get(key)
        if sieve is None:
            sieve = self._below[key] = _Sieve(
                {pattern: trail.step(text) for pattern, trail in self._ignored.items()},
                {pattern: trail.step(text) for pattern, trail in self._only.items()},
            )
        return sieve
