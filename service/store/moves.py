"""The moves of patches and applications: one document each, written with what they move, never changed.

{_id, resource, type, patch, application, target, attempt, verb, from, to, at, by, why, write, unfed}

`type` is that of the target, of the resource where there is none yet; `write` is the write id of the request that asked
for it, where there is one; `unfed` marks those that the feed has not taken.
"""

from service.errors import ServiceError
from service.model import Companion, Types
from service.patches import Move
from service.store.chronology import Chronology
from service.store.mongo import Collection, Database, Record, translated

_BY_TIME = Chronology("at", newest_first=False)


class MongoMoves:
    """Reads the collection `patch_moves`."""

    def __init__(self, database: Database) -> None:
        self._moves: Collection = database["patch_moves"]

    async def list_oldest(
        self, resource_id: str, patch_id: str, types: Types, after: tuple[str, str] | None, limit: int
    ) -> list[Move]:
        """Return the moves of a patch and its applications, oldest first, those after (`at`, `id`)."""
        of_patch = {"resource": resource_id, "patch": patch_id, **of_types(types)}
        with translated():
            found = _BY_TIME.find(self._moves, of_patch, after, limit)
            return [_to_move(record) async for record in found]

    async def has_write(self, resource_id: str, application_id: str, write_id: str) -> bool:
        """Tell whether the request with the write id has moved the application."""
        own = {"$gt": f"{application_id}:", "$lt": f"{application_id};"}  # the ids of its moves begin so
        with translated():
            found = await self._moves.find_one({"_id": own, "resource": resource_id, "write": write_id}, {"_id": 1})
        return found is not None


def of_types(types: Types) -> Record:
    """Match what is about targets of certain types; None for all."""
    return {} if types is None else {"type": {"$in": sorted(types)}}


def to_insertion(move: Move, conflict: ServiceError, write_id: str | None = None) -> Companion:
    """Say how a move is written together with what it moves."""
    fields = {
        "resource": move.resource_id,
        "type": move.resource_type,
        "patch": move.patch_id,
        "application": move.application_id,
        "target": move.target_id,
        "attempt": move.attempt,
        "verb": move.verb,
        "from": move.source,
        "to": move.to,
        "at": move.at,
        "by": move.by,
        "why": move.why,
        "unfed": True,
    }
    if write_id is not None:
        fields["write"] = write_id
    return Companion(collection="patch_moves", id=move.id, action="insert", conflict=conflict, fields=fields)


def _to_move(record: Record) -> Move:
    return Move(
        id=record["_id"],
        resource_id=record["resource"],
        resource_type=record["type"],
        patch_id=record["patch"],
        application_id=record["application"],
        target_id=record["target"],
        attempt=record["attempt"],
        verb=record["verb"],
        source=record["from"],
        to=record["to"],
        at=record["at"],
        by=record["by"],
        why=record["why"],
    )
