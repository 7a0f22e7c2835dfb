"""The outbox: what is on its way to providers, written in one transaction with what it tells of.

    {_id: the notice's id, provider, application, resource, attempt, type, source, subject, time, data, state, tries,
     due, leased, created, ended, status, error}

`due` is when it is tried next, `leased` until when somebody is trying it. Times are text that sorts.
"""

from collections.abc import Callable, Sequence

import msgspec
from pymongo import ASCENDING, ReturnDocument

from service.delivery import NO_LONGER_AWAITED, Delivery, DeliveryState, Notice
from service.errors import InvalidTransitionError
from service.model import Companion
from service.store.applications import MongoApplications
from service.store.chronology import Chronology
from service.store.mongo import Collection, Database, Record, translated

_BY_CREATION = Chronology("created")
_NEVER = ""
"""Sorts before every time."""


class MongoOutbox:
    """Keeps deliveries in the collection `outbox`."""

    def __init__(self, database: Database, on_more: Callable[[], object] = lambda: None) -> None:
        self._outbox: Collection = database["outbox"]
        self._applications = MongoApplications(database)
        self._on_more = on_more

    def insertion(self, delivery: Delivery) -> Companion:
        """Say how a delivery is written together with the move that it tells of."""
        notice = delivery.notice
        fields = {
            "provider": delivery.provider,
            "application": delivery.application_id,
            "resource": delivery.resource_id,
            "attempt": delivery.attempt,
            "type": notice.type,
            "source": notice.source,
            "subject": notice.subject,
            "time": notice.time,
            "data": bytes(notice.data),
            "created": delivery.created_at,
            "leased": _NEVER,
            **_progress(delivery),
        }
        self._on_more()  # a moment early
        twice = InvalidTransitionError("The event of this attempt is on its way already.")
        return Companion(collection="outbox", id=notice.id, action="insert", conflict=twice, fields=fields)

    async def claim(self, now: str, until: str, besides: Sequence[str] = ()) -> Delivery | None:
        """Lease the delivery that has been due for longest, `besides` what is for certain providers; None: none is due.

        Of one application only the newest attempt still waits for its provider: what is left of those before is ended
        here, and while one of them is being sent the newest waits.
        """
        due: Record = {"state": "waiting", "due": {"$lte": now}, "leased": {"$lte": now}}
        if besides:
            due["provider"] = {"$nin": list(besides)}
        with translated():
            record = await self._outbox.find_one_and_update(
                due, {"$set": {"leased": until}}, sort=[("due", ASCENDING)], return_document=ReturnDocument.AFTER
            )
            if record is None:
                return None
            if not await self._end_earlier(record, now):
                await self._outbox.update_one({"_id": record["_id"]}, {"$set": {"due": until, "leased": _NEVER}})
                return None
        return _to_delivery(record)

    async def _end_earlier(self, record: Record, now: str) -> bool:
        """End what waits of earlier attempts; False while one of them is being sent."""
        earlier = {"application": record["application"], "state": "waiting", "attempt": {"$lt": record["attempt"]}}
        if await self._outbox.find_one(earlier, {"_id": 1}) is None:
            return True
        ended = {"state": "superseded", "ended": now, "error": NO_LONGER_AWAITED}
        await self._outbox.update_many({**earlier, "leased": {"$lte": now}}, {"$set": ended})
        return await self._outbox.find_one(earlier, {"_id": 1}) is None

    async def renew(self, notice_id: str, held: str, until: str) -> bool:
        """Go on holding a lease; False when it ran out and somebody else has it."""
        with translated():
            result = await self._outbox.update_one(
                {"_id": notice_id, "state": "waiting", "leased": held}, {"$set": {"leased": until}}
            )
        return result.matched_count == 1

    async def settle(self, delivery: Delivery, until: str) -> bool:
        """Keep what came of trying a leased delivery; False when the lease ran out and somebody else has it."""
        held = {"_id": delivery.notice.id, "state": "waiting", "leased": until}
        with translated():
            result = await self._outbox.update_one(held, {"$set": {**_progress(delivery), "leased": _NEVER}})
        return result.matched_count == 1

    async def replay(self, notice_id: str, now: str) -> bool:
        """Try a dead delivery anew, from the first try; False when there is no dead one of that id."""
        with translated():
            result = await self._outbox.update_one({"_id": notice_id, "state": "dead"}, _anew(now))
        self._on_more()
        return result.matched_count == 1

    async def replay_all(self, provider: str, now: str) -> int:
        """Try all dead deliveries of a provider anew; return how many."""
        with translated():
            result = await self._outbox.update_many({"provider": provider, "state": "dead"}, _anew(now))
        self._on_more()
        return result.modified_count

    async def count_dead(self, provider: str) -> int:
        """Return how many deliveries to the provider are dead."""
        with translated():
            return await self._outbox.count_documents({"provider": provider, "state": "dead"})

    async def find(self, notice_id: str) -> Delivery | None:
        """Return the delivery, or None when there is none of that id."""
        with translated():
            record = await self._outbox.find_one({"_id": notice_id})
        return _to_delivery(record) if record else None

    async def list_newest(
        self, provider: str | None, state: DeliveryState | None, after: tuple[str, str] | None, limit: int
    ) -> list[Delivery]:
        """Return deliveries, newest first, those after (`created_at`, `id`), without the data of their notices."""
        asked: Record = {name: value for name, value in (("provider", provider), ("state", state)) if value}
        with translated():
            found = _BY_CREATION.find(self._outbox, asked, after, limit, {"data": 0})
            return [_to_delivery(record) async for record in found]

    async def backlog(self) -> tuple[int, str | None]:
        """Return how many deliveries wait, and since when the oldest does."""
        with translated():
            count = await self._outbox.count_documents({"state": "waiting"}, limit=100_000)
            oldest = await self._outbox.find_one({"state": "waiting"}, {"created": 1}, sort=[("created", ASCENDING)])
        return count, oldest["created"] if oldest else None

    async def is_awaited(self, provider: str) -> bool:
        """Return whether something waits to be sent to the provider that an application still waits for."""
        members = {"application": 1, "resource": 1, "attempt": 1}
        with translated():
            async for each in self._outbox.find({"provider": provider, "state": "waiting"}, members):
                if await self._applications.is_dispatched(each["resource"], each["application"], each["attempt"]):
                    return True
        return False


def _progress(delivery: Delivery) -> Record:
    return {
        "state": delivery.state,
        "tries": delivery.tries,
        "due": delivery.due_at,
        "ended": delivery.ended_at,
        "status": delivery.status,
        "error": delivery.error,
    }


def _anew(now: str) -> Record:
    return {"$set": {"state": "waiting", "tries": 0, "due": now, "leased": _NEVER, "ended": None}}


def _to_delivery(record: Record) -> Delivery:
    return Delivery(
        notice=Notice(
            id=record["_id"],
            type=record["type"],
            source=record["source"],
            subject=record["subject"],
            time=record["time"],
            data=msgspec.Raw(record.get("data", b"null")),
        ),
        provider=record["provider"],
        application_id=record["application"],
        resource_id=record["resource"],
        attempt=record["attempt"],
        state=record["state"],
        tries=record["tries"],
        due_at=record["due"],
        created_at=record["created"],
        ended_at=record["ended"],
        status=record["status"],
        error=record["error"],
    )
