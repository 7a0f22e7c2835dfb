"""Kills under write load: what was acknowledged is there exactly once, what was not is there at most once."""

import asyncio
import os
import random
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from service.app import SystemClock
from service.errors import StoreUnavailableError
from service.store.embedded import EmbeddedMongo
from service.store.indexes import ensure_indexes
from service.store.mongo import Database, connect
from service.store.mongod import MongodProcess
from service.store.resources import MongoResources
from tests.faults.cutting import CuttingProxy
from tests.faults.journal import Append, Journal
from tests.faults.replicas import ReplicaSet
from tests.integration.changes import ANN, create, patch
from tests.processes import ServiceProcess

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

ROUNDS = int(os.environ.get("PATCHBAY_TEST_FAULT_ROUNDS", "5"))
WRITERS = 24
RESOURCES = 6
JSON_PATCH = {"Content-Type": "application/json-patch+json"}


def append_to(store: MongoResources) -> Append:
    async def append(resource_id: str, token: str) -> bool:
        try:
            await store.write(resource_id, "list", patch({"op": "add", "path": "/items/-", "value": token}), ANN)
        except StoreUnavailableError:
            return False
        return True

    return append


@asynccontextmanager
async def writing(journal: Journal, appends: list[Append]) -> AsyncIterator[None]:
    """Let writers run meanwhile; all of them have ended behind it."""
    stop = asyncio.Event()
    writers = [asyncio.create_task(journal.keep_writing(appends[n % len(appends)], stop)) for n in range(WRITERS)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*writers)


async def make_resources(store: MongoResources) -> Journal:
    journal = Journal([str(uuid.uuid4()) for _ in range(RESOURCES)])
    for resource_id in journal.resource_ids:
        await store.write(resource_id, "list", create({"items": []}), ANN)
    return journal


async def check_stored(journal: Journal, store: MongoResources) -> None:
    for resource_id in journal.resource_ids:
        found = await store.find(resource_id)
        assert found is not None
        journal.check(resource_id, msgspec.json.decode(found.text)["items"], found.version)
        revisions = (await store.list_revisions(resource_id, limit=found.version + 1)).revisions
        assert [each.version for each in revisions] == list(range(found.version, 0, -1))
        assert len({each.write_id for each in revisions}) == found.version


async def open_store(stack: AsyncExitStack, database: Database) -> MongoResources:
    store = MongoResources(database, SystemClock())
    await stack.enter_async_context(store.relay)
    return store


async def test_mongod_killed_under_load(tmp_path: Path) -> None:
    """Two instances of the store write to the same resources while their server dies again and again."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(EmbeddedMongo(tmp_path))
        client = connect(server.uri)
        stack.callback(client.close)
        await ensure_indexes(client.faults)
        stores = [await open_store(stack, client.faults) for _ in range(2)]
        journal = await make_resources(stores[0])

        for _ in range(ROUNDS):
            before = journal.count
            async with writing(journal, [append_to(each) for each in stores]):
                await asyncio.sleep(random.uniform(0.2, 1.5))
                await journal.grow_beyond(before)
                os.kill(server.pid, signal.SIGKILL)
                await asyncio.sleep(1.5)

        await check_stored(journal, stores[1])


async def test_connection_cut_between_request_and_reply(mongod: MongodProcess, database_name: str) -> None:
    """The update is done and nobody is told: the write id in the log tells, and no writer notices."""
    with tempfile.TemporaryDirectory(prefix="pb") as folder:
        proxy = CuttingProxy(mongod.uri, Path(folder) / "p.sock", every=5)
        async with AsyncExitStack() as stack:
            server = await proxy.start()
            stack.callback(server.close)
            client = connect(proxy.uri)
            stack.callback(client.close)
            stores = [await open_store(stack, client[database_name]) for _ in range(2)]
            journal = await make_resources(stores[0])

            async with writing(journal, [append_to(each) for each in stores]):
                await asyncio.sleep(3)

            await check_stored(journal, stores[1])
            assert proxy.cuts > 5
            assert not any(journal.unanswered.values())


@pytest.fixture(name="replicas")
def start_replicas() -> Iterator[ReplicaSet]:
    with ReplicaSet() as replicas:
        yield replicas


async def test_replica_set_losing_its_primary_under_load(replicas: ReplicaSet) -> None:
    async with AsyncExitStack() as stack:
        client = connect(replicas.uri)
        stack.callback(client.close)
        await ensure_indexes(client.faults)
        stores = [await open_store(stack, client.faults) for _ in range(2)]
        journal = await make_resources(stores[0])

        for _ in range(ROUNDS):
            async with writing(journal, [append_to(each) for each in stores]):
                await asyncio.sleep(random.uniform(0.2, 1.5))
                primary = await asyncio.to_thread(replicas.primary)
                await asyncio.to_thread(replicas.kill, primary)
                killed_at = journal.count
                await asyncio.to_thread(replicas.primary)
                await journal.grow_beyond(killed_at + WRITERS)  # it is back by itself
            await asyncio.to_thread(replicas.restart, primary)

        await check_stored(journal, stores[1])


async def test_service_killed_under_load(tmp_path: Path) -> None:
    """The service with its embedded server, over HTTP: its death takes the server along, and both come back."""
    journal = Journal([])
    for number in range(ROUNDS):
        service = ServiceProcess(tmp_path / f"service-{number}", {"data_dir": tmp_path / "data"})
        try:
            await asyncio.to_thread(service.wait_until_ready)
            async with aiohttp.ClientSession(service.url) as session:
                journal = journal if journal.resource_ids else await post_resources(session)
                await check_served(journal, session)
                before = journal.count
                async with writing(journal, [append_over(session)]):
                    await asyncio.sleep(random.uniform(0.5, 1.5))
                    await journal.grow_beyond(before)
                    service.process.kill()
        finally:
            await asyncio.to_thread(service.end)

    service = ServiceProcess(tmp_path / "service-last", {"data_dir": tmp_path / "data"})
    try:
        await asyncio.to_thread(service.wait_until_ready)
        async with aiohttp.ClientSession(service.url) as session:
            await check_served(journal, session)
    finally:
        await asyncio.to_thread(service.end)


def append_over(session: aiohttp.ClientSession) -> Append:
    async def append(resource_id: str, token: str) -> bool:
        body = msgspec.json.encode([{"op": "add", "path": "/items/-", "value": token}])
        try:
            async with session.patch(f"/v1/list/{resource_id}", data=body, headers=JSON_PATCH) as response:
                await response.read()
                assert response.status in (200, 503), await response.text()
                return response.status == 200
        except aiohttp.ClientError:
            await asyncio.sleep(0.05)  # it is dead: no need to ask at once
            return False

    return append


async def post_resources(session: aiohttp.ClientSession) -> Journal:
    made: list[Any] = []
    for _ in range(RESOURCES):
        async with session.post("/v1/list", json={"items": []}) as response:
            made.append(await response.json())
    return Journal([each["id"] for each in made])


async def check_served(journal: Journal, session: aiohttp.ClientSession) -> None:
    for resource_id in journal.resource_ids:
        async with session.get(f"/v1/list/{resource_id}") as response:
            journal.check(resource_id, (await response.json())["items"], int(response.headers["ETag"].strip('"')))
