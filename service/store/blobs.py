"""Bytes of any length in a collection, in parts, because a document of the database holds 16 MiB."""

from datetime import datetime

from service.store.mongo import Collection, Database, Record, translated

_PART_BYTES = 8 * 1024 * 1024


class Blobs:
    """Keeps bytes under an id. Write a blob before what refers to it: a record without its blob must not be seen."""

    def __init__(self, database: Database, collection: str) -> None:
        self._parts: Collection = database[collection]

    async def put(self, blob_id: str, data: bytes, *, expires: datetime | None = None) -> None:
        """Keep the bytes, in place of what the id had before. Written twice, it is the same.

        With `expires` the database removes them some time after that moment, if the collection has the index for it.
        """
        parts = [data[at : at + _PART_BYTES] for at in range(0, len(data), _PART_BYTES)] or [b""]
        with translated():
            for number, part in enumerate(parts):
                record: Record = {"bytes": part, "parts": len(parts)}
                if expires is not None:
                    record["expires"] = expires
                await self._parts.replace_one({"_id": _part_id(blob_id, number)}, record, upsert=True)

    async def find(self, blob_id: str) -> bytes | None:
        """Return the bytes, None when there are none of that id, or not all of them any more."""
        with translated():
            first = await self._parts.find_one({"_id": _part_id(blob_id, 0)})
            if first is None:
                return None
            data = [first["bytes"]]
            for number in range(1, first["parts"]):
                part = await self._parts.find_one({"_id": _part_id(blob_id, number)})
                if part is None:
                    return None
                data.append(part["bytes"])
        return b"".join(data)

    async def remove(self, blob_id: str) -> bool:
        """Forget the bytes; the first part goes last, so that what is left can be removed again.

        Of several at a time that remove the same, one is told True.
        """
        removed = 0
        with translated():
            first = await self._parts.find_one({"_id": _part_id(blob_id, 0)}, {"parts": 1})
            for number in reversed(range(first["parts"] if first else 0)):
                removed = (await self._parts.delete_one({"_id": _part_id(blob_id, number)})).deleted_count
        return removed == 1


def _part_id(blob_id: str, number: int) -> str:
    return f"{blob_id}:{number}"
