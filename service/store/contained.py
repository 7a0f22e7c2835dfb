"""Contained resources, found by the member that names their parent."""

from collections.abc import Sequence

from pymongo import ASCENDING

from service.model import Resource
from service.store.documents import encode_name
from service.store.mongo import Collection, Database, translated
from service.store.records import to_resource


class MongoContained:
    """Reads the collection `resources` by the members that parents are named in."""

    def __init__(self, database: Database) -> None:
        self._resources: Collection = database["resources"]

    async def find_contained(
        self, resource_type: str, member: str, parent_ids: Sequence[str], *, limit: int
    ) -> list[Resource]:
        """Return those that name one of the parents in the member, not deleted, oldest first."""
        query = {
            "type": resource_type,
            f"content.{encode_name(member)}": {"$in": list(parent_ids)},
            "deleted": False,
        }
        order = [("created", ASCENDING), ("_id", ASCENDING)]
        with translated():
            found = await self._resources.find(query, {"log": 0}).sort(order).limit(limit).to_list(None)
        return [to_resource(record) for record in found]
