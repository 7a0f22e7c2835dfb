"""Contained resources, found by the member that names their parent; and turns of parents, the collection `families`."""

from collections.abc import Sequence

from pymongo import ASCENDING

from service.model import Resource
from service.ports import ContainedResources
from service.store.members import member_path
from service.store.mongo import Collection, Database, translated
from service.store.records import to_resource

_MAX_BYTES = 32 * 1024 * 1024


class MongoContained:
    """Reads the collection `resources` by the members that parents are named in."""

    def __init__(self, database: Database) -> None:
        self._resources: Collection = database["resources"]
        self._families: Collection = database["families"]

    async def read_turn(self, parent_id: str) -> int:
        """Return how often something entered the parent."""
        with translated():
            record = await self._families.find_one({"_id": parent_id})
        return 0 if record is None else int(record["turn"])

    async def find_contained(
        self, resource_type: str, member: str, parent_ids: Sequence[str], *, limit: int
    ) -> ContainedResources:
        """Return those that name one of the parents in the member, not deleted, oldest first; see the port."""
        query = {
            "type": resource_type,
            member_path((member,)): {"$in": list(parent_ids)},
            "deleted": False,
        }
        order = [("created", ASCENDING), ("_id", ASCENDING)]
        found: list[Resource] = []
        size = 0
        with translated():
            async for record in self._resources.find(query, {"log": 0}).sort(order).limit(limit + 1):
                resource = to_resource(record)
                size += len(resource.text)
                if len(found) == limit or (found and size > _MAX_BYTES):
                    return ContainedResources(found, are_all=False)
                found.append(resource)
        return ContainedResources(found, are_all=True)
