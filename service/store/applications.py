"""Applications: one document for each patch and target, which every move takes one further.

    {_id, resource, patch, target, type, attempt, status, base, result, provider, error, errors, by, started, finished,
     reverted, moves}

A write wants the number of `moves` that was read, so of two at once one is refused. `resource`, the one that the
patch is recorded against, is the shard key.
"""

from collections.abc import Sequence

import msgspec

from service.errors import InvalidTransitionError, Violation
from service.model import Companion, Types
from service.patches import Application, Step
from service.store.chronology import Chronology
from service.store.companions import write_together
from service.store.mongo import Collection, Database, Record, translated
from service.store.moves import of_types, to_insertion

_BY_START = Chronology("started")
_VIOLATIONS = msgspec.json.Decoder(tuple[Violation, ...])


class MongoApplications:
    """Keeps applications in the collection `applications`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._applications: Collection = database["applications"]

    async def find(self, application_id: str, resource_id: str | None = None) -> Application | None:
        """Return the application, or None when there is none; by its id alone every shard is asked."""
        targeted = {"resource": resource_id} if resource_id is not None else {}
        with translated():
            record = await self._applications.find_one({"_id": application_id, **targeted})
        return None if record is None else _to_application(record)

    async def is_dispatched(self, resource_id: str, application_id: str, attempt: int) -> bool:
        """Return whether the application is dispatched, in that attempt."""
        waiting = {"_id": application_id, "resource": resource_id, "status": "dispatched", "attempt": attempt}
        with translated():
            return await self._applications.find_one(waiting, {"_id": 1}) is not None

    async def list_overdue(self, now: str, limit: int) -> list[Application]:
        """Return dispatched applications whose deadline has passed, the longest ago first."""
        overdue = {"status": "dispatched", "deadline": {"$lt": now}}
        with translated():
            found = self._applications.find(overdue).sort("deadline", 1).limit(limit)
            return [_to_application(record) async for record in found]

    async def list_newest(
        self, resource_id: str, patch_id: str, types: Types, after: tuple[str, str] | None, limit: int
    ) -> list[Application]:
        """Return the applications of a patch, the latest first, those after (`started_at`, `id`)."""
        of_patch = {"resource": resource_id, "patch": patch_id, **of_types(types)}
        with translated():
            found = _BY_START.find(self._applications, of_patch, after, limit)
            return [_to_application(record) async for record in found]

    def companions(self, step: Step) -> tuple[Companion, ...]:
        """Say what a step writes, so that it can be written together with the target's next version."""
        after, before = step.after, step.before
        refusal = InvalidTransitionError("Another request moved this application at the same time. Read it and decide.")
        main = Companion(
            collection="applications",
            id=after.id,
            action="insert" if before is None else "replace",
            conflict=refusal,
            fields=_to_record(after),
            expected={} if before is None else {"resource": before.resource_id, "moves": before.moves},
        )
        return (main, *(to_insertion(move, refusal, step.write_id) for move in step.moves))

    async def commit(self, step: Step, others: Sequence[Companion] = ()) -> None:
        """Write a step that changes no resource, and other records with it.

        Raises `InvalidTransitionError` when another request came first, and the `conflict` of the others.
        """
        await write_together(self._database, (*self.companions(step), *others))


def _to_record(application: Application) -> Record:
    return {
        "resource": application.resource_id,
        "patch": application.patch_id,
        "target": application.target_id,
        "type": application.target_type,
        "attempt": application.attempt,
        "status": application.status,
        "base": application.base_version,
        "result": application.result_version,
        "provider": application.provider,
        "error": application.error,
        "errors": msgspec.json.encode(application.errors),
        "by": application.created_by,
        "started": application.started_at,
        "finished": application.finished_at,
        "deadline": application.deadline_at,
        "reverted": application.reverted_by,
        "moves": application.moves,
    }


def _to_application(record: Record) -> Application:
    return Application(
        id=record["_id"],
        resource_id=record["resource"],
        patch_id=record["patch"],
        target_id=record["target"],
        target_type=record["type"],
        attempt=record["attempt"],
        status=record["status"],
        base_version=record["base"],
        result_version=record["result"],
        provider=record["provider"],
        error=record["error"],
        errors=_VIOLATIONS.decode(record["errors"]),
        created_by=record["by"],
        started_at=record["started"],
        finished_at=record["finished"],
        deadline_at=record.get("deadline"),
        reverted_by=record["reverted"],
        moves=record["moves"],
    )
