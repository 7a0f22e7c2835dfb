"""Three instances on a replica set of three: one dies under load, and no request fails that is sent again."""

import asyncio
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import msgspec
import pytest

from tests.faults.journal import Journal
from tests.faults.replicas import ReplicaSet
from tests.processes import ServiceProcess

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

INSTANCES = 3
WRITERS = 12
RESOURCES = 6
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
PATIENCE_S = 60


class Fleet:
    """The instances, each on a port that it keeps; a request goes to another one where one does not answer."""

    def __init__(self, folder: Path, uri: str) -> None:
        self._folder, self._uri = folder, uri
        self._starts = itertools.count()
        self.instances: list[ServiceProcess] = []
        self.urls: list[str] = []
        self.retried = 0

    def start(self) -> None:
        """Start all at the same time, on a database that is empty."""
        self.instances += [self._start(port=0) for _ in range(INSTANCES)]
        for each in self.instances:
            each.wait_until_ready()
        self.urls += [each.url for each in self.instances]

    def end(self) -> None:
        for each in self.instances:
            each.end()

    def _start(self, port: int) -> ServiceProcess:
        settings = {"mongodb_uri": self._uri, "mongodb_database": "fleet", "port": port}
        return ServiceProcess(self._folder / f"service-{next(self._starts)}", settings)

    def kill(self, number: int) -> None:
        self.instances[number].process.kill()
        self.instances[number].wait()

    def restart(self, number: int) -> None:
        port = self.instances[number].address[1]
        self.instances[number] = self._start(port)
        self.instances[number].wait_until_ready()

    async def append(self, session: aiohttp.ClientSession, resource_id: str, token: str) -> bool:
        """Add a member: done twice it is done once, so that it may be sent again without an idempotency key."""
        body = msgspec.json.encode([{"op": "add", "path": f"/items/{token}", "value": True}])
        urls = itertools.cycle(random.sample(self.urls, INSTANCES))
        async with asyncio.timeout(PATIENCE_S):
            for url in urls:
                try:
                    path = f"{url}/v1/list/{resource_id}"
                    async with session.patch(path, data=body, headers=JSON_PATCH) as response:
                        assert response.status in (200, 429, 503), await response.text()
                        if response.status == 200:
                            return True
                except aiohttp.ClientError:
                    pass
                self.retried += 1
                await asyncio.sleep(0.05)
        return False


@pytest.fixture(name="fleet")
def start_fleet(tmp_path: Path) -> Iterator[Fleet]:
    with ReplicaSet() as replicas:
        fleet = Fleet(tmp_path, replicas.uri)
        try:
            fleet.start()
            yield fleet
        finally:
            fleet.end()


async def make_journal(fleet: Fleet, session: aiohttp.ClientSession) -> Journal:
    ids = []
    for _ in range(RESOURCES):
        async with session.post(f"{fleet.urls[0]}/v1/list", json={"items": {}}) as response:
            ids.append((await response.json())["id"])
    return Journal(ids)


async def until_acknowledged(journal: Journal, more: int) -> None:
    wanted = journal.count + more
    async with asyncio.timeout(PATIENCE_S):
        while journal.count < wanted:
            await asyncio.sleep(0.02)


async def test_instance_killed_under_load_fails_no_request_after_retry(fleet: Fleet) -> None:
    async with aiohttp.ClientSession() as session:
        journal, stop = await make_journal(fleet, session), asyncio.Event()

        async def append(resource_id: str, token: str) -> bool:
            return await fleet.append(session, resource_id, token)

        writing = [asyncio.create_task(journal.keep_writing(append, stop)) for _ in range(WRITERS)]
        for victim in range(2):
            await until_acknowledged(journal, 100)
            retried = fleet.retried
            await asyncio.to_thread(fleet.kill, victim)
            await until_acknowledged(journal, 100)
            assert fleet.retried > retried, "nobody noticed the death"
            await asyncio.to_thread(fleet.restart, victim)
        stop.set()
        await asyncio.gather(*writing)

        assert not any(journal.unanswered.values())
        for resource_id in journal.resource_ids:
            for url in fleet.urls:
                async with session.get(f"{url}/v1/list/{resource_id}") as response:
                    found = await response.json()
                    journal.check(resource_id, list(found["items"]), int(response.headers["ETag"].strip('"')))
