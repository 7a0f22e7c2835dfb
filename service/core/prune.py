"""Leave out of two documents what a comparison is to ignore, and remember what may not be touched because of it."""

from collections.abc import Sequence

from service.core.options import DiffOptions, FamilyOptions
from service.core.place import Place, root_place
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
        self._solid: dict[int, Json] = {}

    def prune(self, value: Json) -> Json:
        """Give the value without what is ignored; the value itself is not changed, and shared where nothing is lost."""
        return self._pruned(value, root_place(FamilyOptions(self._options)))

    def solid(self, value: Json) -> Json:
        """Give a pruned value without the hollow containers in it, which make no difference: wherever they stand."""
        if id(value) not in self.outside:
            return value
        if id(value) not in self._solid:
            if isinstance(value, dict):
                left: Json = {name: self.solid(each) for name, each in value.items() if id(each) not in self.hollow}
            else:
                left = [self.solid(each) for each in value if id(each) not in self.hollow]
            self._solid[id(value)] = left
        return self._solid[id(value)]

    def find(self, sought: Sequence[Json], root: Json) -> tuple[str | int, ...]:
        """Give the way to an array of a pruned document, as it is in the document itself."""
        found: list[tuple[tuple[str | int, ...], Json]] = [((), root)]
        while found:
            trail, value = found.pop()
            if value is sought:
                return trail
            if isinstance(value, dict):
                found += [((*trail, name), child) for name, child in value.items() if isinstance(child, dict | list)]
            elif isinstance(value, list):
                within = [(place, child) for place, child in enumerate(value) if isinstance(child, dict | list)]
                found += [((*trail, self.place_of(value, place)), child) for place, child in within]
        raise LookupError("the array is none of this document")

    def place_of(self, array: Sequence[Json], place: int) -> int:
        """Say where an item of a pruned array stands in the document."""
        places = self.places.get(id(array))
        return place if places is None else places[place]

    def _pruned(self, value: Json, place: Place) -> Json:
        if place.outside:
            return NOTHING
        if isinstance(value, dict):
            result: Json = {}
            for name, member in value.items():
                left = self._pruned(member, place.child(name))
                if left is not NOTHING:
                    result[name] = left
            return self._remembered(value, result, list(result.values()), place)
        if isinstance(value, list):
            items = [self._pruned(item, place.child(index)) for index, item in enumerate(value)]
            result = [item for item in items if item is not NOTHING]
            if len(result) < len(items):
                self.places[id(result)] = [index for index, item in enumerate(items) if item is not NOTHING]
            return self._remembered(value, result, result, place)
        return NOTHING if place.passing else value

    def _remembered(self, value: Json, result: Json, children: list[Json], place: Place) -> Json:
        lost = len(result) < len(value) or any(id(child) in self.originals for child in children)
        if not place.passing and not lost:
            return value
        if lost:
            self.originals[id(result)] = value
        if place.passing:
            self.outside.add(id(result))
            if all(id(child) in self.hollow for child in children):
                self.hollow.add(id(result))
        return result
