"""The store alone, without HTTP: batches against one awaited call for each request, on the same server."""

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonpatch
import msgspec
import uvloop

from benchmarks.store.cpu import usage
from service.core.history import apply_with_inverse
from service.model import Attribution, Change, Draft
from service.ports import Changing
from service.store.embedded import EmbeddedMongo
from service.store.indexes import ensure_indexes
from service.store.mongo import Database, connect
from service.store.resources import MongoResources

CLINICS = 1000
CALLERS = 32
BY = Attribution(by="bench")
Call = Callable[[str, list[dict[str, Any]]], Awaitable[object]]


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def run(clinic: dict[str, Any], seconds: float) -> dict[str, dict[str, float]]:
    return uvloop.run(_run(clinic, seconds))


async def _run(clinic: dict[str, Any], seconds: float) -> dict[str, dict[str, float]]:
    with TemporaryDirectory() as folder:
        async with EmbeddedMongo(Path(folder)) as server:
            client = connect(server.uri)
            await ensure_indexes(client.direct)
            figures = {"plain motor": await _plain(client.direct, clinic, seconds)}
            figures = {"patchbay's store": await _batched(client.direct, clinic, seconds), **figures}
            client.close()
    return figures


async def _batched(database: Database, clinic: dict[str, Any], seconds: float) -> dict[str, float]:
    store = MongoResources(database, WallClock())
    ids = [str(uuid.uuid4()) for _ in range(CLINICS)]

    async def read(resource_id: str, _: list[dict[str, Any]]) -> object:
        return await store.find(resource_id)

    async def write(resource_id: str, operations: list[dict[str, Any]]) -> object:
        def change(draft: Draft | None) -> Change:
            step = apply_with_inverse(draft.content, operations)
            forward, inverse = msgspec.json.encode(operations), msgspec.json.encode(step.inverse)
            return Change(kind="patch", content=step.document, forward=forward, inverse=inverse)

        return await store.write(resource_id, "clinic", change, BY)

    async with store.relay:
        for resource_id in ids:
            content = msgspec.json.decode(msgspec.json.encode(clinic))
            await store.write(resource_id, "clinic", creating(content), BY)
        return {"read": await _measure(read, ids, seconds), "patch": await _measure(write, ids, seconds)}


def creating(content: dict[str, Any]) -> Changing:
    return lambda _: Change(kind="create", content=content)


async def _plain(database: Database, clinic: dict[str, Any], seconds: float) -> dict[str, float]:
    clinics: Any = database["plain"]
    ids = [str(uuid.uuid4()) for _ in range(CLINICS)]
    await clinics.insert_many([{"_id": each, "version": 1, "content": clinic} for each in ids])

    async def read(resource_id: str, _: list[dict[str, Any]]) -> object:
        return msgspec.json.encode((await clinics.find_one({"_id": resource_id}))["content"])

    async def write(resource_id: str, operations: list[dict[str, Any]]) -> object:
        while True:
            record = await clinics.find_one({"_id": resource_id})
            content = jsonpatch.apply_patch(record["content"], operations, in_place=True)
            found = await clinics.update_one(
                {"_id": resource_id, "version": record["version"]},
                {"$set": {"content": content}, "$inc": {"version": 1}},
            )
            if found.matched_count:
                return msgspec.json.encode(content)

    return {"read": await _measure(read, ids, seconds), "patch": await _measure(write, ids, seconds)}


async def _measure(call: Call, ids: list[str], seconds: float) -> float:
    """Return calls per second of CPU, driver and database together, with so many callers at a time."""
    count = 0
    stop = time.perf_counter() + seconds

    async def keep_calling() -> None:
        nonlocal count
        while time.perf_counter() < stop:
            count += 1
            await call(random.choice(ids), [{"op": "replace", "path": "/name", "value": f"Clinic {count}"}])

    before = usage()
    await asyncio.gather(*(keep_calling() for _ in range(CALLERS)))
    return count / (usage() - before).total
