"""The moves of patches and applications: one document each, written with what they move, never changed.

{_id, resource, type, patch, application, target, attempt, verb, from, to, at, by, why, unfed}

`type` is that of the target, of the resource where there is none yet; `unfed` marks those that the feed has not taken.
"""

from typing import Any

from pymongo import ASCENDING

from service.errors import ServiceError
from service.model import Companion
from service.patches import Move
from service.store.mongo import Collection, Database, Record, translated


class MongoMoves:
    """Reads the collection `patch_moves`."""

    def __init__(self, database: Database) -> None:
        self._moves: Collection = database["patch_moves"]

    async def list_oldest(
        self, resource_id: str, patch_id: str, after: tuple[str, str] | None, limit: int
    ) -> list[Move]:
        """Return the moves of a patch and its applications, oldest first, those after (`at`, `id`)."""
        query: dict[str, Any] = {"resource": resource_id, "patch": patch_id}
        if after is not None:
            at, move_id = after
            query["$or"] = [{"at": {"$gt": at}}, {"at": at, "_id": {"$gt": move_id}}]
        with translated():
            found: list[Record] = (
                await self._moves.find(query).sort([("at", ASCENDING), ("_id", ASCENDING)]).limit(limit).to_list(None)
            )
        return [_to_move(record) for record in found]


def to_insertion(move: Move, conflict: ServiceError) -> Companion:
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
