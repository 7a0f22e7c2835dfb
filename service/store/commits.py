"""Statements carried out, many in one command, each with an exact outcome whatever happens on the way.

A statement takes a resource from one version to the next, so it takes effect at most once, however often it is sent;
its write id stands in the log, so what became of it can be read. See docs/commit-protocol.md.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from pymongo import DESCENDING, ReadPreference
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern

from service.errors import NotStorableError, StoreUnavailableError
from service.store.batching import Batcher
from service.store.mongo import (
    PASSING_CODES,
    TOO_LARGE_CODES,
    Collection,
    Database,
    Record,
    translated,
    unavailable,
)
from service.store.records import Statement, revision_id
from service.store.threads import Threads

_MAX_STATEMENTS = 100
_MAX_BYTES = 4 * 1024 * 1024
_LARGE_BYTES = 256 * 1024
_LARGE_LANES = 2
_PATIENCE_S = 15.0
"""How long an outcome is pursued before the caller is told that it is not known."""
_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.5
_CERTAIN_WITHIN_MS = 8000
_DUPLICATE_KEY = 11000
_WRITE_CONCERN = {"w": "majority", "wtimeout": 8000}


class Commits:
    """Carries statements out on the collection `resources`."""

    def __init__(self, database: Database, on_batch: Callable[[int], object]) -> None:
        self._plain = database.delegate
        self._threads = Threads(1 + _LARGE_LANES)
        self._resources: Collection = database["resources"]
        self._revisions: Collection = database["revisions"]
        self._small = Batcher[Statement, bool](
            self._carry_out, max_items=_MAX_STATEMENTS, max_bytes=_MAX_BYTES, lanes=1, on_batch=on_batch
        )
        self._alone = Batcher[Statement, bool](self._carry_out, max_items=1, max_bytes=1, lanes=_LARGE_LANES)

    async def commit(self, statement: Statement) -> bool:
        """Carry the statement out: True when it is done and durable, False when another write came first.

        Raises `StoreUnavailableError` when the outcome is not known within some seconds.
        """
        batcher = self._alone if statement.size > _LARGE_BYTES else self._small
        return await batcher.submit(statement, statement.size)

    async def _carry_out(self, statements: list[Statement]) -> Sequence[bool | Exception]:
        outcomes: dict[str, bool | Exception] = {}
        pending = statements
        deadline = time.monotonic() + _PATIENCE_S
        pause = 0.0
        while True:
            with contextlib.suppress(StoreUnavailableError):  # not known: ask again, and send again what is not there
                outcomes.update(await self._send(pending))
                pending = [each for each in pending if each.write_id not in outcomes]
                outcomes.update(await self.settle(pending))
            pending = [each for each in pending if each.write_id not in outcomes]
            if not pending or time.monotonic() > deadline:
                outcomes.update({each.write_id: unavailable() for each in pending})
                return [outcomes[each.write_id] for each in statements]
            await asyncio.sleep(pause)
            pause = min(max(pause, _FIRST_PAUSE_S) * 2, _LONGEST_PAUSE_S)

    async def _send(self, statements: list[Statement]) -> dict[str, bool | Exception]:
        """Send the statements in one command; return the outcomes that its reply tells for certain.

        The plain command, because the driver's bulk interface costs as much again.
        """
        command: dict[str, Any] = {
            "update": self._resources.name,
            "updates": [each.command() for each in statements],
            "ordered": False,
            "writeConcern": _WRITE_CONCERN,
        }
        with translated():
            reply = await self._threads.call(self._plain.command, command, read_preference=ReadPreference.PRIMARY)
        if "writeErrors" in reply:
            refused = {statements[each["index"]].write_id: _refusal(each) for each in reply["writeErrors"]}
            return {write_id: refusal for write_id, refusal in refused.items() if refusal}
        is_all_done = reply["n"] == len(statements) and "writeConcernError" not in reply
        return {each.write_id: True for each in statements} if is_all_done else {}

    async def settle(self, statements: list[Statement]) -> dict[str, bool]:
        """Read what became of the statements; those that have not taken effect yet, but still may, are left out."""
        if not statements:
            return {}
        with translated():
            found: list[Record] = await self._resources.find(
                {"_id": {"$in": [each.resource_id for each in statements]}}, {"v": 1, "log.w": 1}
            ).to_list(None)
            records = {each["_id"]: each for each in found}
            settled = {
                each.write_id: await self._is_done(each, records[each.resource_id])
                for each in statements
                if records.get(each.resource_id, {"v": 0})["v"] > each.base
            }
            baseless = [each for each in statements if each.base and each.resource_id not in records]
            return settled | {each.write_id: False for each in baseless if await self._is_gone(each.resource_id)}

    async def _is_gone(self, resource_id: str) -> bool:
        """Tell whether somebody has taken the record away; right after a failover other reads may miss one."""
        certain = self._resources.with_options(read_concern=ReadConcern("linearizable"))
        return await certain.find_one({"_id": resource_id}, {"_id": 1}, max_time_ms=_CERTAIN_WITHIN_MS) is None

    async def _is_done(self, statement: Statement, record: Record) -> bool:
        if any(entry["w"] == statement.write_id for entry in record["log"]):
            return True
        # Of the documents of `revisions` that begin at or below the version, the last has it.
        bound = {
            "$gte": revision_id(statement.resource_id, 0),
            "$lte": revision_id(statement.resource_id, statement.version),
        }
        last = [("_id", DESCENDING)]
        bucket = await self._revisions.find_one({"resource": statement.resource_id, "_id": bound}, sort=last)
        return any(entry["w"] == statement.write_id for entry in bucket["entries"]) if bucket else False


def _refusal(error: Record) -> Exception | None:
    """Return the exception for a statement that the server will never carry out, None for one that may yet settle."""
    if error["code"] in TOO_LARGE_CODES:
        return NotStorableError("The document with its newest changes passes the database's limit of 16 MiB.")
    if error["code"] == _DUPLICATE_KEY or error["code"] in PASSING_CODES:
        return None
    return OperationFailure(error["errmsg"], error["code"], error)
