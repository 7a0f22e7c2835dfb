"""Resources read many at a time: what is asked for while a read is under way goes out with the next one."""

from collections.abc import Awaitable, Callable, Sequence

from service.store.batching import Batcher
from service.store.mongo import Collection, Database, Record, translated
from service.store.threads import Threads

_MAX_IDS = 100
_LARGE_LANES = 2
_LARGE_BYTES = 256 * 1024
_MOST_KNOWN_LARGE = 10_000


class Reads:
    """Reads records of the collection `resources` without their log."""

    def __init__(self, database: Database, on_batch: Callable[[int], object]) -> None:
        self._resources: Collection = database["resources"]
        self._threads = Threads(1 + _LARGE_LANES)
        self._large: set[str] = set()
        self._small = Batcher[str, Record | None](
            self._read, max_items=_MAX_IDS, max_bytes=_MAX_IDS, lanes=1, on_batch=on_batch
        )
        self._alone = Batcher[str, Record | None](self._read, max_items=1, max_bytes=1, lanes=_LARGE_LANES)

    def find(self, resource_id: str) -> Awaitable[Record | None]:
        """Return the record as it stands on the primary, None when there is none."""
        batcher = self._alone if resource_id in self._large else self._small
        return batcher.submit(resource_id, 1)

    def note_size(self, resource_id: str, size: int) -> None:
        """Remember whether a resource is large, so that it is read alone and holds nobody up."""
        if size < _LARGE_BYTES:
            self._large.discard(resource_id)
        elif len(self._large) < _MOST_KNOWN_LARGE:
            self._large.add(resource_id)

    async def _read(self, resource_ids: list[str]) -> Sequence[Record | None]:
        with translated():
            records = await self._threads.call(self._find, [*set(resource_ids)])
        return [records.get(each) for each in resource_ids]

    def _find(self, resource_ids: list[str]) -> dict[str, Record]:
        found = self._resources.delegate.find({"_id": {"$in": resource_ids}}, {"log": 0})
        return {each["_id"]: each for each in found}
