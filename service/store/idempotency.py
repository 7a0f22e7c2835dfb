"""What was answered to requests with an idempotency key, for a day (`ports.IdempotencyStore`)."""

from datetime import timedelta

from pymongo.errors import DuplicateKeyError

from service.errors import BusyIdempotencyKeyError, IdempotencyKeyReusedError
from service.model import Answer
from service.ports import Clock
from service.store.mongo import Collection, Database, Record, translated

_KEPT = timedelta(hours=24)
_RUNNING = timedelta(seconds=60)
"""How long a request may be carried out before it counts as dead (its process was killed, say)."""
_ASK_AGAIN_S = 2.0
"""Most requests are over by then; who asks so often finds a dead one's key free soon enough."""


class MongoIdempotency:
    """Keeps answers in the collection `idempotency`, which the database itself empties by `expires`.

    Digests are compared, not stored requests; large answers are the callers' to bound.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._records: Collection = database["idempotency"]
        self._clock = clock

    async def begin(self, key: str, fingerprint: str) -> Answer | None:
        """Return the first answer, or None when the request is to be carried out now; see the port."""
        now = self._clock.now()
        running = {"fingerprint": fingerprint, "running": now + _RUNNING, "expires": now + _KEPT}
        with translated():
            try:
                await self._records.insert_one({"_id": key, **running})
            except DuplicateKeyError:
                return await self._begin_again(key, fingerprint, running)
        return None

    async def _begin_again(self, key: str, fingerprint: str, running: Record) -> Answer | None:
        now = self._clock.now()
        record = await self._records.find_one({"_id": key})
        if record is not None and record["expires"] > now:
            if record["fingerprint"] != fingerprint:
                raise IdempotencyKeyReusedError
            if "status" in record:
                return Answer(record["status"], record["headers"], record["body"])
        # Left behind by a killed process, or by the day's end: taken over by exactly one.
        stale = {"_id": key, "$or": [{"running": {"$lte": now}, "status": None}, {"expires": {"$lte": now}}]}
        taken = await self._records.replace_one(stale, running)
        if not taken.matched_count:
            raise BusyIdempotencyKeyError(
                "The first request with this idempotency key is still being carried out. If its process has died, the "
                f"key is free {_RUNNING.seconds} seconds after it began.",
                retry_after_s=_ASK_AGAIN_S,
            )
        return None

    async def finish(self, key: str, answer: Answer) -> None:
        """Keep the answer."""
        kept = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
        with translated():
            await self._records.update_one({"_id": key}, {"$set": kept})

    async def abandon(self, key: str) -> None:
        """Forget the request."""
        with translated():
            await self._records.delete_one({"_id": key, "status": None})
