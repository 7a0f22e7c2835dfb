"""Resources read many at a time: what is asked for while a read is under way goes out with the next one."""

from collections.abc import Awaitable, Callable, Sequence

import bson
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection

from service.model import Resource
from service.store.batching import Batcher
from service.store.mongo import Database, Record, translated
from service.store.recent import Recent
from service.store.records import to_resource
from service.store.threads import Threads

_MAX_IDS = 100
_LARGE_LANES = 2
_LARGE_BYTES = 256 * 1024
_MOST_KNOWN_LARGE = 10_000


class Reads:
    """Reads records of the collection `resources` without their log, as they stand on the primary."""

    def __init__(self, database: Database, on_batch: Callable[[int], object]) -> None:
        resources = database["resources"].delegate
        self._options = resources.codec_options
        raw = self._options.with_options(document_class=RawBSONDocument)
        self._resources: Collection[RawBSONDocument] = resources.with_options(codec_options=raw)
        self._threads = Threads(1 + _LARGE_LANES)
        self._recent = Recent()
        self._large: set[str] = set()
        self._small = Batcher[str, RawBSONDocument | None](
            self._read, max_items=_MAX_IDS, max_bytes=_MAX_IDS, lanes=1, on_batch=on_batch
        )
        self._alone = Batcher[str, RawBSONDocument | None](self._read, max_items=1, max_bytes=1, lanes=_LARGE_LANES)

    async def find(self, resource_id: str) -> Resource | None:
        """Return the resource, deleted or not, None when there never was one."""
        raw = await self._fetch(resource_id)
        if raw is None:
            return None
        resource = self._recent.find(resource_id, raw["v"], raw["updated"])
        if resource is None:
            resource = to_resource(self._decode(raw))
            self._recent.put(resource)
            self._note_size(resource_id, len(resource.text))
        return resource

    async def find_record(self, resource_id: str) -> Record | None:
        """Return the record for the caller to keep, None when there is none."""
        raw = await self._fetch(resource_id)
        return None if raw is None else self._decode(raw)

    def _fetch(self, resource_id: str) -> Awaitable[RawBSONDocument | None]:
        batcher = self._alone if resource_id in self._large else self._small
        return batcher.submit(resource_id, 1)

    def _decode(self, raw: RawBSONDocument) -> Record:
        return bson.decode(raw.raw, self._options)

    def _note_size(self, resource_id: str, size: int) -> None:
        """Remember whether a resource is large, so that it is read alone and holds nobody up."""
        if size < _LARGE_BYTES:
            self._large.discard(resource_id)
        elif len(self._large) < _MOST_KNOWN_LARGE:
            self._large.add(resource_id)

    async def _read(self, resource_ids: list[str]) -> Sequence[RawBSONDocument | None]:
        with translated():
            records = await self._threads.call(self._find, [*set(resource_ids)])
        return [records.get(each) for each in resource_ids]

    def _find(self, resource_ids: list[str]) -> dict[str, RawBSONDocument]:
        return {each["_id"]: each for each in self._resources.find({"_id": {"$in": resource_ids}}, {"log": 0})}
