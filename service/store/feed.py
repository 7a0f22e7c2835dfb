"""The feed: what became of resources and patches, in one order, each event at a position of its own.

Revisions and moves are stored with `unfed: true`; one transaction takes some of them, gives them positions from a
counter and makes them events. Transactions that count at the same time conflict, so positions become visible in their
order: who has read up to a position has missed nothing before it.

    events: {_id: position of the last, at: its time, events: [{type, resource, resourceType, version, ...}, ...]}
    counters: {_id: "feed", n: the newest position, trimmed: the newest that is kept no more, gaps: [{after, until}]}

Restoring a backup leaves a gap: positions in it may have been given for what is now undone, and none is given again.
"""

import itertools
import logging
from collections.abc import Callable, Iterator

from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo import ASCENDING, ReadPreference, ReturnDocument
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from service.errors import FeedGoneError, StoreUnavailableError
from service.model import Event
from service.store.draining import Drain
from service.store.mongo import Collection, Database, Record, translated
from service.store.revisions import Revisions

_LOG = logging.getLogger(__name__)
_MAJORITY = WriteConcern(w="majority", wtimeout=8000)
_COUNTER = "feed"
_PER_RECORD = 100
"""How many events are kept in one record at most: together they cost little more than one alone."""
_RECORDS_AT_ONCE = 10
_WITHOUT_PATCHES = {"entries.forward": 0, "entries.inverse": 0, "entries.events": 0}
_KINDS = {
    "create": "resource.created",
    "replace": "resource.replaced",
    "patch": "resource.patched",
    "delete": "resource.deleted",
    "revert": "resource.reverted",
}


class MongoFeed:
    """Keeps events in the collection `events`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._drain = Drain(database, Revisions(database))
        self._events: Collection = database["events"]
        self._counters: Collection = database["counters"]

    async def advance(self, limit: int = 500) -> int:
        """Make events of what has happened since, in order for each resource; return how many were made."""
        with translated():
            if not await self._has_work():
                return 0
            await self._bring_history(limit)
            async with await self._database.client.start_session() as session:
                count: int = await session.with_transaction(
                    lambda own: self._take(limit, own), ReadConcern("snapshot"), _MAJORITY, ReadPreference.PRIMARY
                )
        return count

    async def _has_work(self) -> bool:
        found = [await self._database[name].find_one({"unfed": True}, {"_id": 1}) for name in _SOURCES]
        return any(found)

    async def _bring_history(self, limit: int) -> None:
        """Drain the logs that moves would wait for: what is kept from beyond them must not come before the moves."""
        moves = await self._find_unfed("patch_moves", limit)
        try:
            await self._drain.drain(_about(moves))
        except (PyMongoError, StoreUnavailableError):
            raise
        except Exception:  # noqa: BLE001 - the feed must outlive one log that cannot be drained
            _LOG.exception("the feed could not drain some logs")

    async def _take(self, limit: int, session: AsyncIOMotorClientSession) -> int:
        """Take what is unfed, the oldest first."""
        taken = {name: await self._find_unfed(name, limit, session) for name in _SOURCES}
        ends = [records[-1]["at"] for records in taken.values() if len(records) == limit]
        if ends:  # what is younger than a source has been read to waits for the next round
            taken = {name: [each for each in records if each["at"] <= min(ends)] for name, records in taken.items()}
        taken["patch_moves"] = await self._without_early(taken["patch_moves"], session)
        events = [event for name, records in taken.items() for each in records for event in _SOURCES[name](each)]
        if not events:
            return 0
        await self._append(sorted(events, key=lambda event: str(event["at"])), session)
        for name, records in taken.items():
            resources = {"$in": list({each["resource"] for each in records})}
            fed = {"_id": {"$in": [each["_id"] for each in records]}, "resource": resources}
            await self._database[name].update_many(fed, {"$unset": {"unfed": ""}}, session=session)
        return len(events)

    async def _find_unfed(
        self, name: str, limit: int, session: AsyncIOMotorClientSession | None = None
    ) -> list[Record]:
        order = [("unfed", ASCENDING), ("at", ASCENDING), ("_id", ASCENDING)]
        found = self._database[name].find({"unfed": True}, _WITHOUT_PATCHES, session=session).sort(order).limit(limit)
        records: list[Record] = await found.to_list(None)
        return records

    async def _without_early(self, moves: list[Record], session: AsyncIOMotorClientSession) -> list[Record]:
        """Leave out moves before which something became of their resource that the relay has not brought yet."""
        logged = self._database["resources"].find(
            {"_id": {"$in": _about(moves)}, "log.0": {"$exists": True}}, {"log": {"$slice": 1}, "v": 1}, session=session
        )
        since = {each["_id"]: each["log"][0]["at"] async for each in logged}
        return [
            each
            for each in moves
            if all(each[name] not in since or each["at"] < since[each[name]] for name in ("resource", "target"))
        ]

    async def _append(self, happened: list[Record], session: AsyncIOMotorClientSession) -> None:
        counter = await self._counters.find_one_and_update(
            {"_id": _COUNTER},
            {"$inc": {"n": len(happened)}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        parts = [happened[at : at + _PER_RECORD] for at in range(0, len(happened), _PER_RECORD)]
        ends = itertools.accumulate(map(len, parts), initial=counter["n"] - len(happened))
        records = [
            {"_id": end, "at": part[-1]["at"], "events": part}
            for end, part in zip(itertools.islice(ends, 1, None), parts, strict=True)
        ]
        await self._events.insert_many(records, session=session)

    async def list_after(self, position: int, limit: int) -> list[Event]:
        """Return events after a position, oldest first.

        Raises `FeedGoneError` when some of them are kept no more, or those up to the position are undone.
        """
        events: list[Event] = []
        with translated():
            found = self._events.find({"_id": {"$gt": position}}).sort("_id", ASCENDING).batch_size(_RECORDS_AT_ONCE)
            async for record in found:
                events += [each for each in _to_events(record) if each.position > position]
                if len(events) >= limit:
                    break
            await found.close()
            counter = await self._counters.find_one({"_id": _COUNTER}) or {}
        if any(gap["after"] < position < gap["until"] for gap in counter.get("gaps", ())):
            raise FeedGoneError(
                f"Position {position} is of events that are undone: a backup of before them was restored. Read what "
                "you follow anew, then go on from the newest position: /events?after=latest."
            )
        if position and position < counter.get("trimmed", 0):
            raise FeedGoneError(
                f"Events up to position {counter['trimmed']} are kept no more. Read what you follow anew, then go on "
                "from the newest position: /events?after=latest."
            )
        return events[:limit]

    async def last_position(self) -> int:
        """Return the position of the newest event, 0 when there never was one."""
        with translated():
            counter = await self._counters.find_one({"_id": _COUNTER})
        return int(counter["n"]) if counter else 0

    async def trim(self, before: str) -> int:
        """Forget records up to the first with an event that is not of before a moment; return how many.

        What comes behind that one late, and is older, stays with it: nobody who follows has to miss what is kept.
        """
        with translated():
            upto = await self._events.find_one({}, {"_id": 1}, sort=[("_id", -1)])
            if upto is None:
                return 0
            kept = await self._events.find_one(
                {"_id": {"$lte": upto["_id"]}, "at": {"$gte": before}}, sort=[("_id", 1)]
            )
            old: Record = {"_id": {"$lte": upto["_id"]} if kept is None else {"$lt": kept["_id"]}}
            newest = await self._events.find_one(old, {"_id": 1}, sort=[("_id", -1)])
            if newest is None:
                return 0
            await self._counters.update_one({"_id": _COUNTER}, {"$max": {"trimmed": newest["_id"]}})
            return (await self._events.delete_many(old)).deleted_count


async def leave_gap(database: Database, until: int) -> None:
    """Let positions go on from `until`, in a database that has gone back in time; nobody has been given a later one."""
    counters = database["counters"]
    newest = (await counters.find_one({"_id": _COUNTER}) or {"n": 0})["n"]
    gap = {"after": newest, "until": until}
    await counters.update_one({"_id": _COUNTER}, {"$max": {"n": until}, "$push": {"gaps": gap}}, upsert=True)


def _about(moves: list[Record]) -> list[str]:
    """List the resources that the moves are about."""
    return list({each[name] for each in moves for name in ("resource", "target") if each[name]})


def _revision_events(record: Record) -> list[Record]:
    """Return the events of revisions that the relay kept together."""
    return [
        {
            "type": _KINDS[entry["kind"]],
            "resource": record["resource"],
            "resourceType": record["type"],
            "version": entry["v"],
            "at": entry["at"],
            "by": entry["by"],
            "why": entry["why"],
        }
        for entry in record["entries"]
    ]


def _move_events(record: Record) -> list[Record]:
    names = ("resource", "patch", "application", "target", "attempt", "from", "to", "at", "by", "why")
    moved = {name: record[name] for name in names}
    return [{"type": f"patch.{record['to']}", "resourceType": record["type"], **moved}]


_SOURCES: dict[str, Callable[[Record], list[Record]]] = {"revisions": _revision_events, "patch_moves": _move_events}


def _to_events(record: Record) -> Iterator[Event]:
    events = record.get("events", [record])  # at first each event had a record of its own
    first = record["_id"] - len(events) + 1
    return (_to_event(position, each) for position, each in enumerate(events, first))


def _to_event(position: int, record: Record) -> Event:
    return Event(
        position=position,
        type=record["type"],
        resource_id=record["resource"],
        resource_type=record.get("resourceType"),
        version=record.get("version"),
        patch_id=record.get("patch"),
        application_id=record.get("application"),
        target_id=record.get("target"),
        attempt=record.get("attempt"),
        source=record.get("from"),
        to=record.get("to"),
        at=record["at"],
        by=record["by"],
        why=record["why"],
    )
