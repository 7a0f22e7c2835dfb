"""Recorded patches: one document each, whose `_id` is made of resource and patch and so claims the pair.

    {_id, resource, patch, text, fingerprint, by, at}

`text` is the definition and the constraints as JSON, exact whatever they hold. `resource` is the shard key.
"""

import msgspec

from service.core import values
from service.core.constraints import Constraint
from service.errors import PatchExistsError
from service.model import Companion, Types
from service.patches import Batch, Definition, Move, Patch, Standing
from service.store.chronology import Chronology
from service.store.companions import find_conflict, write_together
from service.store.mongo import Collection, Database, Record, translated
from service.store.moves import of_types, to_insertion

_BY_CREATION = Chronology("at", "patch")
_PAGE_BYTES = 16 * 1024 * 1024


class _Text(msgspec.Struct):
    definition: Definition
    constraints: tuple[Constraint, ...]


class MongoPatches:
    """Keeps patches in the collection `patches`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._patches: Collection = database["patches"]
        self._applications: Collection = database["applications"]

    async def insert(self, patch: Patch, recorded: Move, *, dry_run: bool = False) -> None:
        """Keep a new patch with its first event; raise `PatchExistsError` where the id is taken."""
        companions = self.companions(patch, recorded)
        if not dry_run:
            await write_together(self._database, companions)
        elif (conflict := await find_conflict(self._database, companions)) is not None:
            raise conflict

    def companions(self, patch: Patch, recorded: Move) -> tuple[Companion, ...]:
        """Say what `insert` writes, so that it can be written together with a resource."""
        taken = PatchExistsError(
            f"The patch '{patch.patch_id}' of this resource is recorded already, with other content."
        )
        claim = Companion(
            collection="patches",
            id=patch_key(patch.resource_id, patch.patch_id),
            action="insert",
            conflict=taken,
            fields=_to_record(patch),
        )
        return (claim, to_insertion(recorded, taken))

    async def find(self, resource_id: str, patch_id: str) -> Patch | None:
        """Return the patch, or None when there is none of that id."""
        with translated():
            record = await self._patches.find_one({"_id": patch_key(resource_id, patch_id), "resource": resource_id})
        return None if record is None else _to_patch(record)

    async def list_newest(self, resource_id: str, after: tuple[str, str] | None, limit: int) -> Batch:
        """Return patches newest first, those after (`created_at`, `patch_id`); fewer where they are very large."""
        patches: list[Patch] = []
        size = 0
        with translated():
            async for record in _BY_CREATION.find(self._patches, {"resource": resource_id}, after, limit + 1):
                if len(patches) == limit or size > _PAGE_BYTES:
                    return Batch(patches, more=True)
                patches.append(_to_patch(record))
                size += len(record["text"])
        return Batch(patches, more=False)

    async def find_standings(self, resource_id: str, patch_ids: list[str], types: Types) -> dict[str, Standing]:
        """Return where patches of a resource stand on targets of the types; those without any are left out."""
        latest: list[Record] = [
            {"$match": {"resource": resource_id, "patch": {"$in": patch_ids}, **of_types(types)}},
            {"$sort": {"resource": 1, "patch": 1, "started": -1}},
            {"$group": {"_id": "$patch", "status": {"$first": "$status"}, "error": {"$first": "$error"}}},
        ]
        with translated():
            found: list[Record] = await self._applications.aggregate(latest).to_list(None)
        return {each["_id"]: Standing(each["status"], each["error"]) for each in found}


def patch_key(resource_id: str, patch_id: str) -> str:
    """Make the `_id` of a patch's record; no two pairs share one."""
    return values.encode([resource_id, patch_id]).decode()


def _to_record(patch: Patch) -> Record:
    return {
        "resource": patch.resource_id,
        "patch": patch.patch_id,
        "text": msgspec.json.encode(_Text(patch.definition, patch.constraints)),
        "fingerprint": patch.fingerprint,
        "by": patch.created_by,
        "at": patch.created_at,
    }


def _to_patch(record: Record) -> Patch:
    text = msgspec.json.decode(record["text"], type=_Text)
    return Patch(
        resource_id=record["resource"],
        definition=text.definition,
        constraints=text.constraints,
        fingerprint=record["fingerprint"],
        created_by=record["by"],
        created_at=record["at"],
    )
