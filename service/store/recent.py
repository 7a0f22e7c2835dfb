"""What was read or written lately, kept in hand. Nothing is answered from here alone: the database confirms it."""

from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar("Value")

_MOST_BYTES = 16 * 1024 * 1024
_LARGEST_BYTES = 256 * 1024
_ENTRY_BYTES = 768
"""About what a value takes beside its text: many small ones are as much as a few large ones."""


class Recent(Generic[Value]):
    """Values by the id of their resource, bounded in number and by the size of the resources' text; the newest stay."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[Value, int]] = OrderedDict()
        self._bytes = 0

    def find(self, resource_id: str) -> Value | None:
        """Return what is kept, and keep it on."""
        kept = self._kept.get(resource_id)
        if kept is None:
            return None
        self._kept.move_to_end(resource_id)
        return kept[0]

    def take(self, resource_id: str) -> Value | None:
        """Hand over what is kept, for one user."""
        kept = self._kept.pop(resource_id, None)
        if kept is None:
            return None
        self._bytes -= kept[1]
        return kept[0]

    def put(self, resource_id: str, value: Value, size: int) -> None:
        """Keep a value instead of the resource's earlier one, in place of those that were not asked for longest."""
        self.take(resource_id)
        if size > _LARGEST_BYTES:
            return
        size += _ENTRY_BYTES
        self._kept[resource_id] = value, size
        self._bytes += size
        while self._bytes > _MOST_BYTES:
            _, (_, oldest) = self._kept.popitem(last=False)
            self._bytes -= oldest
