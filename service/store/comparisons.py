"""Recorded comparisons: one document each, and large patches in parts beside it."""

import msgspec

from service.model import Comparison, Fingerprint
from service.store.mongo import Collection, Database, Record, translated

_PART_BYTES = 8 * 1024 * 1024
"""A patch above this goes in parts, because a document of the database holds 16 MiB."""


class MongoComparisons:
    """Keeps comparisons in the collections `comparisons` and `comparison_parts`."""

    def __init__(self, database: Database) -> None:
        self._records: Collection = database["comparisons"]
        self._parts: Collection = database["comparison_parts"]

    async def insert(self, comparison: Comparison) -> None:
        """Keep a new comparison. The parts go first: the record is what makes them count."""
        patch = bytes(comparison.patch)
        parts = [patch[at : at + _PART_BYTES] for at in range(0, len(patch), _PART_BYTES)][1:]
        with translated():
            for number, part in enumerate(parts, start=1):
                await self._parts.insert_one({"_id": f"{comparison.id}:{number}", "bytes": part})
            await self._records.insert_one(_to_record(comparison, patch[:_PART_BYTES], len(parts)))

    async def find(self, comparison_id: str) -> Comparison | None:
        """Return the comparison, or None when there is none of that id."""
        with translated():
            record = await self._records.find_one({"_id": comparison_id})
            if record is None:
                return None
            patch = [record["patch"]]
            for number in range(1, record["parts"] + 1):
                part = await self._parts.find_one({"_id": f"{comparison_id}:{number}"})
                patch.append((part or {})["bytes"])
        return _to_comparison(record, b"".join(patch))


def _to_record(comparison: Comparison, patch: bytes, parts: int) -> Record:
    return {
        "_id": comparison.id,
        "a": msgspec.structs.asdict(comparison.a),
        "b": msgspec.structs.asdict(comparison.b),
        "direction": comparison.patch_direction,
        "options": bytes(comparison.options),
        "patch": patch,
        "parts": parts,
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
