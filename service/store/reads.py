"""Resources read many at a time: what is asked for while a read is under way goes out with the next one."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import bson
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection

from service.model import Resource
from service.store.batching import Batcher
from service.store.mongo import Database, Record, translated
from service.store.recent import Recent
from service.store.records import to_resource
from service.store.threads import Threads

Found = TypeVar("Found", bound=Mapping[str, Any])

_MAX_IDS = 100
_LARGE_LANES = 2
_LARGE_BYTES = 256 * 1024
_MOST_KNOWN_LARGE = 10_000
_STAMP = {"v": 1, "updated": 1}


class Reads:
    """Reads records of the collection `resources` without their log, as they stand on the primary.

    Of a resource that was read lately only the stamp is read, its version and when that was made (a database that was
    put back may make a version again): while they stand, so does the content.
    """

    def __init__(self, database: Database, on_batch: Callable[[int], object]) -> None:
        self._stamped: Collection[Record] = database["resources"].delegate
        self._options = self._stamped.codec_options
        raw = self._options.with_options(document_class=RawBSONDocument)
        self._resources: Collection[RawBSONDocument] = self._stamped.with_options(codec_options=raw)
        self._threads = Threads(2 + _LARGE_LANES)
        self._recent = Recent[Resource]()
        self._large: set[str] = set()
        self._stamps = Batcher[str, Record | None](
            self._read_stamps, max_items=_MAX_IDS, max_bytes=_MAX_IDS, lanes=1, on_batch=on_batch
        )
        self._small = Batcher[str, RawBSONDocument | None](
            self._read, max_items=_MAX_IDS, max_bytes=_MAX_IDS, lanes=1, on_batch=on_batch
        )
        self._alone = Batcher[str, RawBSONDocument | None](self._read, max_items=1, max_bytes=1, lanes=_LARGE_LANES)

    async def find(self, resource_id: str) -> Resource | None:
        """Return the resource, deleted or not, None when there never was one."""
        known = self._recent.find(resource_id)
        if known is not None:
            stamp = await self._stamps.submit(resource_id, 1)
            if stamp is not None and stamp["v"] == known.version and stamp["updated"] == known.updated_at:
                return known
        record = await self.find_record(resource_id)
        if record is None:
            return None
        resource = to_resource(record)
        size = len(resource.text)
        self._recent.put(resource_id, resource, size)
        self._note_size(resource_id, size)
        return resource

    async def find_record(self, resource_id: str) -> Record | None:
        """Return the record for the caller to keep, None when there is none."""
        raw = await self._fetch(resource_id)
        return None if raw is None else bson.decode(raw.raw, self._options)

    def _fetch(self, resource_id: str) -> Awaitable[RawBSONDocument | None]:
        batcher = self._alone if resource_id in self._large else self._small
        return batcher.submit(resource_id, 1)

    def _note_size(self, resource_id: str, size: int) -> None:
        """Remember whether a resource is large, so that it is read alone and holds nobody up."""
        if size < _LARGE_BYTES:
            self._large.discard(resource_id)
        elif len(self._large) < _MOST_KNOWN_LARGE:
            self._large.add(resource_id)

    async def _read_stamps(self, resource_ids: list[str]) -> Sequence[Record | None]:
        with translated():
            stamps = await self._threads.call(_find, self._stamped, resource_ids, _STAMP)
        return [stamps.get(each) for each in resource_ids]

    async def _read(self, resource_ids: list[str]) -> Sequence[RawBSONDocument | None]:
        with translated():
            records = await self._threads.call(_find, self._resources, resource_ids, {"log": 0})
        return [records.get(each) for each in resource_ids]


def _find(collection: Collection[Found], resource_ids: list[str], fields: dict[str, int]) -> dict[str, Found]:
    return {each["_id"]: each for each in collection.find({"_id": {"$in": [*set(resource_ids)]}}, fields)}
