"""Recorded comparisons: one document each, and their patches beside it."""

from uuid import uuid4

import msgspec
from pymongo.errors import DuplicateKeyError

from service.model import Comparison, Fingerprint
from service.store.blobs import Blobs
from service.store.mongo import Collection, Database, Record, translated


class MongoComparisons:
    """Keeps comparisons in the collection `comparisons`, their patches beside it."""

    def __init__(self, database: Database) -> None:
        self._records: Collection = database["comparisons"]
        self._patches = Blobs(database, "comparison_patches")

    async def insert(self, comparison: Comparison) -> bool:
        """Keep a new comparison. The patch goes first: the record is what makes it count."""
        patch_id = uuid4().hex
        await self._patches.put(patch_id, bytes(comparison.patch))
        with translated():
            try:
                await self._records.insert_one({**_to_record(comparison), "patch": patch_id})
            except DuplicateKeyError:
                await self._patches.remove(patch_id)
                return False
        return True

    async def find(self, comparison_id: str) -> Comparison | None:
        """Return the comparison, or None when there is none of that id."""
        with translated():
            record = await self._records.find_one({"_id": comparison_id})
        if record is None:
            return None
        return _to_comparison(record, await self._patches.find(record["patch"]) or b"")


def _to_record(comparison: Comparison) -> Record:
    return {
        "_id": comparison.id,
        "a": msgspec.structs.asdict(comparison.a),
        "b": msgspec.structs.asdict(comparison.b),
        "direction": comparison.patch_direction,
        "options": bytes(comparison.options),
        "exact": comparison.exact,
        "by": comparison.created_by,
        "at": comparison.created_at,
    }


def _to_comparison(record: Record, patch: bytes) -> Comparison:
    return Comparison(
        id=record["_id"],
        a=Fingerprint(**record["a"]),
        b=Fingerprint(**record["b"]),
        patch_direction=record["direction"],
        options=msgspec.Raw(record["options"]),
        patch=msgspec.Raw(patch),
        exact=record["exact"],
        created_by=record["by"],
        created_at=record["at"],
    )
