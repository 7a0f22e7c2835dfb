"""Claims of identifiers: the collection `identifiers`, whose `_id` makes each unique wherever it is sharded.

    {_id: "<type>|<value>|<system>", resource}, both parts percent-encoded

A bare value is found by the range of ids that begin with it, so that `_id` is the only index and shard key needed.
"""

from urllib.parse import quote

from service.core.identifier import MAX_IDENTIFIERS
from service.store.mongo import Collection, Database, Record, translated

_ENOUGH = MAX_IDENTIFIERS + 1
"""One resource can hold no more, so that a value with two holders shows both."""


class MongoIdentifiers:
    """Reads the claims; they are written with the resources that hold them."""

    def __init__(self, database: Database) -> None:
        self._claims: Collection = database["identifiers"]

    def claim_id(self, resource_type: str, value: str, system: str) -> str:
        """Return the `_id` of the claim."""
        return f"{_prefix(resource_type, value)}{_quoted(system)}"

    async def find(self, resource_type: str, value: str, system: str | None = None) -> list[str]:
        """Return the ids of resources that hold the value in the system, or in any; one id may come twice."""
        prefix = _prefix(resource_type, value)
        query: Record = {"_id": {"$gte": prefix, "$lt": prefix + "\x7f"}}
        if system is not None:
            query = {"_id": prefix + _quoted(system)}
        with translated():
            found = await self._claims.find(query, {"resource": 1}).limit(_ENOUGH).to_list(_ENOUGH)
        return [each["resource"] for each in found]


def _prefix(resource_type: str, value: str) -> str:
    return f"{resource_type}|{_quoted(value)}|"


def _quoted(text: str) -> str:
    return quote(text, safe="")
