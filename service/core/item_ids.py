"""The ids of an array's items, found without a look at every item while operations change the array."""

from collections import Counter

from service.core.operation import Operation
from service.core.values import Json


class ItemIds:
    """The ids of an array, kept in step with the operations that are done on it. An id is text.

    A look-up begins where the item was when it was seen last, less the number of operations that have moved items.
    """

    def __init__(self, items: list[Json]) -> None:
        self._ids = [_id_of(item) for item in items]
        self._counts = Counter(self._ids)
        self._seen = {each: place for place, each in enumerate(self._ids)}
        self._moves = 0

    def count(self, item_id: str) -> int:
        """Return how many items have the id."""
        return self._counts[item_id]

    def find(self, item_id: str) -> int:
        """Return the place of the only item that has the id."""
        return self._ids.index(item_id, max(0, self._seen.get(item_id, 0) - self._moves))

    def follow(self, operation: Operation, place: str | int) -> None:
        """Take notice of an operation that was done on the item at a place, `-` being the end."""
        kind, at = operation["op"], len(self._ids) if place == "-" else int(place)
        if kind == "remove":
            self._lose(self._ids.pop(at))
            self._moves += 1
        elif kind == "replace":
            self._lose(self._ids[at])
            self._ids[at] = self._gain(operation["value"], at)
        else:
            self._ids.insert(at, self._gain(operation["value"], at))
            self._moves += 1

    def _gain(self, item: Json, place: int) -> str | None:
        item_id = _id_of(item)
        self._counts[item_id] += 1
        self._seen[item_id] = place
        return item_id

    def _lose(self, item_id: str | None) -> None:
        self._counts[item_id] -= 1
        self._seen.pop(item_id, None)  # another item may have the id: that one was not seen


def _id_of(item: Json) -> str | None:
    item_id = item.get("id") if isinstance(item, dict) else None
    return item_id if isinstance(item_id, str) else None
