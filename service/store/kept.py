"""Resources kept in hand after a write, so that the next one need not read them: a guess, which the commit checks."""

from collections import OrderedDict

from service.store.records import Held

_MOST_BYTES = 16 * 1024 * 1024
_LARGEST_BYTES = 256 * 1024


class Kept:
    """The most recently written resources of this process, bounded by the size of their text."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._bytes = 0

    def put(self, held: Held) -> None:
        """Keep a resource as it was just committed, in place of those that were not asked for longest."""
        size = len(held.resource.text)
        if size > _LARGEST_BYTES:
            return
        self._held[held.resource.id] = held
        self._bytes += size
        while self._bytes > _MOST_BYTES:
            _, oldest = self._held.popitem(last=False)
            self._bytes -= len(oldest.resource.text)

    def take(self, resource_id: str) -> Held | None:
        """Hand the resource over, for one user: what is held is used up by planning on it."""
        held = self._held.pop(resource_id, None)
        if held is not None:
            self._bytes -= len(held.resource.text)
        return held
