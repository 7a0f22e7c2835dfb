"""Rollouts: one document each. Who holds the lease takes it further, until anybody changes its state.

{_id, resource, patch, order, caller, created, state, total, done, failed, skipped, after, updated, finished, error,
leased}
"""

from collections.abc import Callable

import msgspec
from pymongo import ASCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from service.model import Caller
from service.rollouts import Order, Rollout, RolloutState
from service.store.chronology import Chronology
from service.store.mongo import Collection, Database, Record, translated

_BY_CREATION = Chronology("created")
_NEVER = ""


class MongoRollouts:
    """Keeps rollouts in the collection `rollouts`."""

    def __init__(self, database: Database, on_change: Callable[[], object] = lambda: None) -> None:
        self._rollouts: Collection = database["rollouts"]
        self._on_change = on_change

    async def insert(self, rollout: Rollout) -> bool:
        """Keep a new rollout; False when there is one of that id."""
        record = {
            "_id": rollout.id,
            "resource": rollout.resource_id,
            "patch": rollout.patch_id,
            "order": msgspec.json.encode(rollout.order),
            "caller": msgspec.json.encode(rollout.caller),
            "created": rollout.created_at,
            "leased": _NEVER,
            **_progress(rollout),
        }
        with translated():
            try:
                await self._rollouts.insert_one(record)
            except DuplicateKeyError:
                return False
        self._on_change()
        return True

    async def find(self, rollout_id: str) -> Rollout | None:
        """Return the rollout, or None when there is none of that id."""
        with translated():
            record = await self._rollouts.find_one({"_id": rollout_id})
        return _to_rollout(record) if record else None

    async def list_newest(
        self, resource_id: str, patch_id: str, after: tuple[str, str] | None, limit: int
    ) -> list[Rollout]:
        """Return the rollouts of a patch, newest first, those after (`created_at`, `id`)."""
        of_patch = {"resource": resource_id, "patch": patch_id}
        with translated():
            found = _BY_CREATION.find(self._rollouts, of_patch, after, limit)
            return [_to_rollout(record) async for record in found]

    async def claim(self, now: str, until: str) -> Rollout | None:
        """Lease the running rollout that nobody has worked on for longest; None when there is none to work on."""
        with translated():
            record = await self._rollouts.find_one_and_update(
                {"state": "running", "leased": {"$lte": now}},
                {"$set": {"leased": until}},
                sort=[("leased", ASCENDING), ("created", ASCENDING)],
                return_document=ReturnDocument.AFTER,
            )
        return _to_rollout(record) if record else None

    async def advance(self, rollout: Rollout, held: str, until: str) -> bool:
        """Keep how far a leased rollout has come and renew the lease; False when lease or state is another's.

        One that was stopped meanwhile stays so, with what was under way counted.
        """
        leased: Record = {"_id": rollout.id, "leased": held}
        with translated():
            result = await self._rollouts.update_one(
                {**leased, "state": "running"}, {"$set": {**_progress(rollout), "leased": until}}
            )
            if result.matched_count == 0:
                await self._rollouts.update_one(leased, {"$set": {**_reached(rollout), "leased": _NEVER}})
        return result.matched_count == 1

    async def move(
        self, rollout_id: str, source: RolloutState, to: RolloutState, now: str, write_id: str | None
    ) -> bool:
        """Change the state, if it is `source`; who works on it notices after the batch at hand, and stops."""
        more: Record = {"finished": now} if to == "cancelled" else {}
        if source == "halted":
            more |= {"forgiven": "$failed", "leased": _NEVER}
        changes = {"state": to, "updated": now, "error": None, "write": write_id, **more}
        with translated():
            result = await self._rollouts.update_one({"_id": rollout_id, "state": source}, [{"$set": changes}])
        self._on_change()
        return result.matched_count == 1


def _progress(rollout: Rollout) -> Record:
    return {
        "state": rollout.state,
        "updated": rollout.updated_at,
        "finished": rollout.finished_at,
        "error": rollout.error,
        **_reached(rollout),
    }


def _reached(rollout: Rollout) -> Record:
    return {
        "total": rollout.total,
        "done": rollout.done,
        "failed": rollout.failed,
        "skipped": rollout.skipped,
        "after": rollout.after,
    }


def _to_rollout(record: Record) -> Rollout:
    return Rollout(
        id=record["_id"],
        resource_id=record["resource"],
        patch_id=record["patch"],
        order=msgspec.json.decode(record["order"], type=Order),
        caller=msgspec.json.decode(record["caller"], type=Caller),
        state=record["state"],
        total=record["total"],
        done=record["done"],
        failed=record["failed"],
        skipped=record["skipped"],
        after=record["after"],
        created_at=record["created"],
        updated_at=record["updated"],
        finished_at=record["finished"],
        error=record["error"],
        forgiven=record.get("forgiven", 0),
        write_id=record.get("write"),
    )
