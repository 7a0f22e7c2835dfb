"""Asynchronous calls (`ports.JobStore`): one record each, inputs and results in parts beside it.

`due` says when a record may be claimed: at once while it is queued, when the claim runs out while it is started; a
finished one has none. `owed` names the server that is still to be called back, once the job is over. Every change names
the claim it is made under, so that an instance that has lost its claim (it stood still, say) changes nothing. Time is
the database's own.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

from service.core.timestamp import format_timestamp
from service.errors import GoneError
from service.model import JOB_STAGES, Job, JobFailure, Owed
from service.ports import Clock
from service.store.blobs import Blobs
from service.store.mongo import Collection, Database, Record, translated

KEPT = timedelta(days=1)
_CANDIDATES = 4


class MongoJobs:
    """Keeps jobs in the collections `jobs` and `job_parts`, which the database itself empties by `expires`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        on_insert: Callable[[], object] = lambda: None,
        on_owed: Callable[[], object] = lambda: None,
    ) -> None:
        self._records: Collection = database["jobs"]
        self._parts = Blobs(database, "job_parts")
        self._clock = clock
        self._owner = uuid4().hex
        self._on_insert = on_insert
        self._on_owed = on_owed

    async def insert(self, job: Job, texts: Mapping[str, bytes]) -> bool:
        """Keep a new job. The inputs go first: a job without them must not be claimed."""
        if await self.find(job.id) is not None:
            return False
        expires = self._clock.now() + KEPT
        for name, text in texts.items():
            await self._parts.put(_part_of(job, name), text, expires=expires)
        record = msgspec.to_builtins(job, builtin_types=(bytes,)) | {"expires": expires}
        del record["id"]
        new = {"$mergeObjects": [{"$literal": record}, {"_id": job.id, "due": "$$NOW"}]}
        is_new = {"$eq": [{"$type": "$status"}, "missing"]}
        with translated():
            try:
                made = await self._records.update_one(
                    {"_id": job.id}, [{"$replaceWith": {"$cond": [is_new, new, "$$ROOT"]}}], upsert=True
                )
            except DuplicateKeyError:
                return False
        if made.upserted_id is None:
            return False
        self._on_insert()
        return True

    async def count_open(self) -> int:
        """Count the jobs that are neither finished nor cancelled."""
        with translated():
            return await self._records.count_documents({"due": {"$type": "date"}})

    async def backlog(self) -> tuple[int, str | None]:
        """Return how many jobs wait to be begun, and since when the oldest does."""
        waiting = {"due": {"$type": "date"}, "status": "QUEUED"}
        with translated():
            count = await self._records.count_documents(waiting)
            oldest = await self._records.find_one(waiting, {"created_at": 1}, sort=[("created_at", ASCENDING)])
        return count, oldest["created_at"] if oldest else None

    async def find(self, job_id: str) -> Job | None:
        """Return the job, or None when there is none of that id."""
        with translated():
            record = await self._records.find_one({"_id": job_id})
        return None if record is None else _to_job(record)

    async def claim(self, seconds: float) -> Job | None:
        """Take a job that is due. Of several instances that see it, the one whose update finds it unchanged has it."""
        is_due = {"due": {"$type": "date"}, "$expr": {"$lte": ["$due", "$$NOW"]}}
        with translated():
            for seen in await self._records.find(is_due, {"due": 1}).sort("due", 1).limit(_CANDIDATES).to_list(None):
                taken: Record | None = await self._records.find_one_and_update(
                    {"_id": seen["_id"], "due": seen["due"]},
                    [{"$set": self._taking(seconds)}],
                    return_document=True,
                )
                if taken is not None:
                    return _to_job(taken)
        return None

    def _taking(self, seconds: float) -> Record:
        started = {"$ifNull": ["$started_at", format_timestamp(self._clock.now())]}
        attempt = {"$add": ["$attempt", 1]}
        return {
            "status": "STARTED",
            "owner": self._owner,
            "due": _until(seconds),
            "attempt": attempt,
            "started_at": started,
            "stage": 0,
        }

    async def renew(self, job: Job, stage: int, seconds: float) -> bool:
        """Keep the claim, if it still stands."""
        return await self._change(job, [{"$set": {"due": _until(seconds), "stage": stage}}])

    async def release(self, job: Job) -> None:
        """Put the job back in the queue. The attempt does not count: nothing went wrong with it."""
        waiting = {"status": "QUEUED", "due": "$$NOW", "attempt": {"$subtract": ["$attempt", 1]}, "stage": 0}
        await self._change(job, [{"$set": waiting}])

    async def read_inputs(self, job: Job) -> dict[str, bytes]:
        """Return the texts of the inputs by their names."""
        return {name: await self._read_input(job, name) for name in job.inputs}

    async def _read_input(self, job: Job, name: str) -> bytes:
        for part in (_part_of(job, name), f"{job.id}:{name}"):  # the latter is how it was named at first
            if (text := await self._parts.find(part)) is not None:
                return text
        raise GoneError(f"Input {name!r} is kept no more. Inputs are kept for a day; make the call again.")

    async def succeed(self, job: Job, result: bytes, *, bounded: bool) -> bool:
        """Keep the result, under the number of the attempt, then finish; another attempt never sees this one's."""
        blob_id = f"{job.id}:result:{job.attempt}"
        await self._parts.put(blob_id, result, expires=self._clock.now() + 2 * KEPT)
        done = {"status": "SUCCESS", "result": blob_id, "bounded": bounded, "stage": JOB_STAGES}
        return await self._finish(job, done)

    async def fail(self, job: Job, failure: JobFailure) -> bool:
        """Finish without a result."""
        reason = msgspec.structs.asdict(failure) | {"errors": bytes(failure.errors)}
        return await self._finish(job, {"status": "FAILED", "failure": reason})

    async def cancel(self, job_id: str) -> bool:
        """End a job that is not finished."""
        with translated():
            ended: Record | None = await self._records.find_one_and_update(
                {"_id": job_id, "due": {"$type": "date"}}, self._ending({"status": "CANCELLED"})
            )
        if ended is not None:
            await self._drop_inputs(_to_job(ended))
        return ended is not None

    async def read_result(self, job: Job) -> bytes | None:
        """Return the result, None when it is gone."""
        return None if job.result is None else await self._parts.find(job.result)

    async def drop_result(self, job: Job) -> bool:
        """Forget the result; the record goes on saying that there was one. False when it is gone already."""
        return job.result is not None and await self._parts.remove(job.result)

    async def take_callback(self, full: list[str]) -> Owed | None:
        """Return the callback owed longest and forget it. Who dies behind that leaves it out: never twice."""
        with translated():
            record: Record | None = await self._records.find_one_and_update(
                {"owed": {"$exists": True, "$nin": full}},
                {"$set": {"callback": None}, "$unset": {"owed": ""}},
                sort=[("finished_at", ASCENDING)],
            )
        return None if record is None else Owed(record["_id"], record["callback"], record["owed"])

    async def _finish(self, job: Job, members: Record) -> bool:
        owed = {} if job.callback is None else {"owed": urlsplit(job.callback).netloc.lower()}
        finished = await self._change(job, self._ending(members | owed))
        if finished and owed:
            self._on_owed()
        if finished:
            await self._drop_inputs(job)
        return finished

    async def _drop_inputs(self, job: Job) -> None:
        for name in job.inputs:
            await self._parts.remove(_part_of(job, name))

    def _ending(self, members: Record) -> Record:
        now = self._clock.now()
        ended = {**members, "finished_at": format_timestamp(now), "expires": now + KEPT}
        return {"$set": ended, "$unset": {"due": "", "owner": ""}}

    async def _change(self, job: Job, update: Record | list[Record]) -> bool:
        """Change the job as long as it is this claim's."""
        claimed = {"_id": job.id, "owner": self._owner, "attempt": job.attempt, "status": "STARTED"}
        with translated():
            changed = await self._records.update_one(claimed, update)
        return changed.matched_count == 1


def _part_of(job: Job, name: str) -> str:
    """Name an input apart from that of another call with the same key, which may come at the same time."""
    return f"{job.id}:{job.fingerprint}:{name}"


def _until(seconds: float) -> Record:
    return {"$add": ["$$NOW", round(seconds * 1000)]}


def _to_job(record: Record) -> Job:
    failure = record.get("failure")
    known = {name: record[name] for name in Job.__struct_fields__ if name not in ("id", "inputs", "failure")}
    return Job(
        **known,
        id=record["_id"],
        inputs=tuple(record["inputs"]),
        failure=None if failure is None else JobFailure(**failure | {"errors": msgspec.Raw(failure["errors"])}),
    )
