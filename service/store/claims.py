"""Whether claims of identifiers and contents agree, both ways, and what makes them agree again.

A content rules: a claim that no content bears out goes, one that a content calls for is written. Both can be done
while the database serves, because what they mend cannot change meanwhile: nobody can take an identifier that is
claimed, nor give one back that is not.
"""

from collections.abc import Sequence
from functools import partial

from pymongo.errors import DuplicateKeyError

from service.core.identifier import MEMBER, claims
from service.store.documents import decode_content
from service.store.findings import Finding
from service.store.identifiers import MongoIdentifiers
from service.store.mongo import Collection, Database, Record, translated

_SHOWN = {"type": 1, "deleted": 1, "plain": 1, f"content.{MEMBER}": 1}
_MEND = "`patchbay check --repair` mends it."


class Claims:
    """Looks at claims, and at what resources should have claimed."""

    def __init__(self, database: Database) -> None:
        self._claims: Collection = database["identifiers"]
        self._resources: Collection = database["resources"]
        self._names = MongoIdentifiers(database)

    async def look_at_claims(self, claim_ids: Sequence[str]) -> list[Finding]:
        """Find claims that the content of their resource does not bear out."""
        with translated():
            found: list[Record] = await self._claims.find({"_id": {"$in": list(claim_ids)}}).to_list(None)
        called_for = await self._called_for(sorted({str(each.get("resource")) for each in found}))
        return [
            Finding(
                each["_id"],
                f"the claim of an identifier is for the resource {each.get('resource')}, which does not hold it",
                f"Nobody else can take the identifier. {_MEND}",
                mend=partial(self._remove, each),
            )
            for each in found
            if each["_id"] not in called_for.get(str(each.get("resource")), ())
        ]

    async def look_at_resources(self, resource_ids: Sequence[str]) -> list[Finding]:
        """Find identifiers in contents without a claim, or with somebody else's."""
        called_for = await self._called_for(resource_ids)
        wanted = [claim for each in called_for.values() for claim in each]
        with translated():
            found: list[Record] = await self._claims.find({"_id": {"$in": wanted}}).to_list(None)
        owners = {each["_id"]: each.get("resource") for each in found}
        return [
            self._unclaimed(resource_id, claim, owners)
            for resource_id, each in called_for.items()
            for claim in sorted(each)
            if owners.get(claim) != resource_id
        ]

    def _unclaimed(self, resource_id: str, claim: str, owners: dict[str, str | None]) -> Finding:
        if claim not in owners:
            what, advice = "is not claimed", f"It does not resolve in URLs, and another resource can take it. {_MEND}"
        else:
            what = f"is claimed for the resource {owners[claim]}"
            advice = "Take it off that resource by a PATCH if it holds it, then run `patchbay check --repair`."
        mend = partial(self._insert, resource_id, claim)
        return Finding(resource_id, f"its identifier {claim} {what}", advice, mend=mend)

    async def _called_for(self, resource_ids: Sequence[str]) -> dict[str, set[str]]:
        """Return the ids of the claims that the contents call for, for each resource that is there."""
        with translated():
            records = self._resources.find({"_id": {"$in": list(resource_ids)}}, _SHOWN)
            return {record["_id"]: self._claims_of(record) async for record in records}

    def _claims_of(self, record: Record) -> set[str]:
        if record.get("deleted"):
            return set()
        content = decode_content(record.get("content", {}), record.get("plain", False))
        return {self._names.claim_id(record.get("type", ""), each.value, each.system) for each in claims(content)}

    async def _remove(self, claim: Record) -> bool:
        with translated():
            return (await self._claims.delete_one(claim)).deleted_count == 1

    async def _insert(self, resource_id: str, claim: str) -> bool:
        with translated():
            try:
                await self._claims.insert_one({"_id": claim, "resource": resource_id})
            except DuplicateKeyError:
                return False
        return True
