"""Pages of records in the order of time, where ids settle ties. Knows nothing of what the records are."""

from typing import NamedTuple

from motor.motor_asyncio import AsyncIOMotorCursor
from pymongo import ASCENDING, DESCENDING

from service.store.mongo import Collection, Record


class Chronology(NamedTuple):
    """An order by a member that holds a time and, within the same moment, by another that no two records share."""

    time: str
    identity: str = "_id"
    newest_first: bool = True

    def find(
        self,
        collection: Collection,
        match: Record,
        after: tuple[str, str] | None,
        limit: int,
        shown: Record | None = None,
    ) -> AsyncIOMotorCursor[Record]:
        """Find what matches and comes after a place, which is the time and the identity of a record.

        `shown` is a projection.
        """
        direction = DESCENDING if self.newest_first else ASCENDING
        ordered = [(self.time, direction), (self.identity, direction)]
        return collection.find({**match, **self._beyond(after)}, shown).sort(ordered).limit(limit)

    def _beyond(self, after: tuple[str, str] | None) -> Record:
        if after is None:
            return {}
        moment, identity = after
        beyond = "$lt" if self.newest_first else "$gt"
        return {"$or": [{self.time: {beyond: moment}}, {self.time: moment, self.identity: {beyond: identity}}]}
