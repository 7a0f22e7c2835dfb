"""Lists of resources, page by page: each begins after a place, so that writes in between neither repeat nor hide."""

import contextlib
from collections.abc import AsyncGenerator, Iterator
from typing import Any

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import ExecutionTimeout

from service.core.listing import Listing, Order, Place
from service.errors import TooComplexError
from service.model import Resource
from service.ports import ListedPage
from service.store.documents import decode_value
from service.store.filtering import OWNED, after_keys, after_owned, stored_at, to_keys, to_match
from service.store.mongo import Collection, Database, Record, translated
from service.store.records import to_resource

_MAX_TIME_MS = 8000
_MAX_PAGE_BYTES = 32 * 1024 * 1024
"""A page ends early rather than be larger."""
_DEFAULT_ORDER = (Order(("createdAt",)),)
_READ_AT_ONCE = 50
_WITHOUT_LOG = {"log": 0}


class MongoLister:
    """Reads the collection `resources` by type."""

    def __init__(self, database: Database) -> None:
        self._resources: Collection = database["resources"]

    async def count(self, resource_type: str) -> int:
        """Return how many resources of the type there are."""
        with translated():
            return await self._resources.count_documents(to_match(resource_type, ()))

    async def scan(self, resource_type: str, after: str | None, limit: int) -> list[Resource]:
        """Return those whose ids follow `after`, in the order of ids."""
        order = Order(("id",))
        place = None if after is None else Place((), after)
        page = await self.list_page(resource_type, Listing(order=(order,), after=place), limit)
        return page.resources

    async def list_page(self, resource_type: str, listing: Listing, limit: int) -> ListedPage:
        """Return a page; raise `TooComplexError` when the database does not find it in time."""
        order = listing.order or _DEFAULT_ORDER
        by_index = len(order) == 1 and order[0].path in OWNED
        find = self._find_by_index if by_index else self._find_by_keys
        resources: list[Resource] = []
        places: list[Place] = []
        size = 0
        async with contextlib.aclosing(find(resource_type, listing, order, limit + 1)) as found:
            with translated(), in_time():
                async for record, place in found:
                    resource = to_resource(record)
                    size += len(resource.text)
                    if len(resources) == limit or (resources and size > _MAX_PAGE_BYTES):
                        return ListedPage(resources, places[-1])
                    resources.append(resource)
                    places.append(place)
        return ListedPage(resources, None)

    async def _find_by_index(
        self, resource_type: str, listing: Listing, orders: tuple[Order, ...], limit: int
    ) -> AsyncGenerator[tuple[Record, Place], None]:
        order = orders[0]
        name = stored_at(order.path)
        match = to_match(resource_type, listing.filters)
        if listing.after is not None:
            match = {"$and": [match, after_owned(order, listing.after)]}
        direction = DESCENDING if order.descending else ASCENDING
        sort = [(name, direction)] if name == "_id" else [(name, direction), ("_id", direction)]
        found = self._resources.find(match, _WITHOUT_LOG).sort(sort).limit(limit).max_time_ms(_MAX_TIME_MS)
        async for record in found:
            yield record, Place(() if name == "_id" else (record[name],), record["_id"])

    async def _find_by_keys(
        self, resource_type: str, listing: Listing, order: tuple[Order, ...], limit: int
    ) -> AsyncGenerator[tuple[Record, Place], None]:
        """Sort ids by computed keys first, and read the page's records after."""
        sort = {f"k{number}": -1 if each.descending else 1 for number, each in enumerate(order)}
        stages: list[Record] = [
            {"$match": to_match(resource_type, listing.filters)},
            {"$project": to_keys(order)},
            *([{"$match": after_keys(order, listing.after)}] if listing.after else []),
            {"$sort": {**sort, "_id": -1 if order[-1].descending else 1}},
            {"$limit": limit},
        ]
        sorted_ids = await self._resources.aggregate(stages, maxTimeMS=_MAX_TIME_MS).to_list(None)
        for at in range(0, len(sorted_ids), _READ_AT_ONCE):
            chunk = sorted_ids[at : at + _READ_AT_ONCE]
            records = await self._read([each["_id"] for each in chunk])
            for each in chunk:
                if each["_id"] in records:
                    values: Any = tuple(decode_value(each[f"k{number}"]) for number in range(len(order)))
                    yield records[each["_id"]], Place(values, each["_id"])

    async def _read(self, ids: list[str]) -> dict[str, Record]:
        found = self._resources.find({"_id": {"$in": ids}, "deleted": False}, _WITHOUT_LOG)
        return {record["_id"]: record async for record in found}


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    """Turn the end of the database's time into `TooComplexError`."""
    try:
        yield
    except ExecutionTimeout as error:
        raise TooComplexError(
            f"The list was not found within {_MAX_TIME_MS // 1000} seconds: filter by more, or by members that the "
            "type's definition names under `indexes`."
        ) from error
