"""Instances killed between a change of state and what follows from it: every event arrives, nothing is done twice."""

import asyncio
import os
import random
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook

from tests.processes import ServiceProcess, Spawn

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

ROUNDS = int(os.environ.get("PATCHBAY_TEST_FAULT_ROUNDS", "3"))
TARGETS = 300
_UNREACHABLE = (aiohttp.ClientError, ConnectionError, TimeoutError)


class Instances:
    """Two services on one database, either of which may be killed and comes back."""

    def __init__(self, spawn: Spawn, **settings: object) -> None:
        self._spawn, self._settings = spawn, settings
        self.up: list[ServiceProcess] = [spawn(**settings), spawn(**settings)]

    @property
    def url(self) -> str:
        return random.choice(self.up).url

    async def kill_one(self) -> None:
        """Kill one with SIGKILL, and start another in its place."""
        victim = self.up.pop(random.randrange(2))
        os.kill(victim.pid, signal.SIGKILL)
        await asyncio.to_thread(victim.wait)
        self.up.append(await asyncio.to_thread(lambda: self._spawn(**self._settings)))


class Provider:
    """Takes every event, and confirms it until it is believed."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session
        self.secret = ""
        self.instances: Instances | None = None
        self.arrived: dict[str, int] = {}
        self.confirmed: set[str] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    async def take(self, request: web.Request) -> web.Response:
        event = Webhook(self.secret).verify(await request.read(), dict(request.headers))
        application_id = event["data"]["application_id"]
        self.arrived[application_id] = self.arrived.get(application_id, 0) + 1
        task = asyncio.create_task(self.confirm(application_id, event["data"]))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return web.Response(status=202)

    async def confirm(self, application_id: str, data: dict[str, Any]) -> None:
        content = {**data["target"]["content"], data["patch"]["definition"]["patch_id"]: True}
        while application_id not in self.confirmed:
            assert self.instances is not None
            try:
                async with self.session.post(
                    self.instances.url + data["confirm"]["url"],
                    json={"success": True, "modified_content": content},
                    headers={"Patchbay-Token": data["confirm"]["token"]},
                ) as response:
                    assert response.status in (200, 429, 503), await response.text()
                    if response.status == 200:
                        self.confirmed.add(application_id)
            except _UNREACHABLE:
                await asyncio.sleep(0.1)


@pytest.fixture(name="session")
async def open_session() -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield session


async def call(session: aiohttp.ClientSession, method: str, url: str, body: Any = None) -> Any:
    async with session.request(method, url, json=body) as response:
        assert response.status in (200, 201, 202), await response.text()
        return await response.json()


async def test_every_event_arrives_and_every_application_ends_once(
    spawn_service: Spawn,
    session: aiohttp.ClientSession,
    aiohttp_server: Callable[[web.Application], Awaitable[TestServer]],
) -> None:
    provider, app = Provider(session), web.Application()
    app.router.add_post("/hook", provider.take)
    server = await aiohttp_server(app)
    instances = Instances(spawn_service, url_allow="127.0.0.0/8", url_ports=server.port)
    provider.instances = instances
    name = f"t-{uuid.uuid4().hex[:8]}"
    made = await call(session, "PUT", f"{instances.url}/providers/{name}", {"url": str(server.make_url("/hook"))})
    provider.secret = made["secret"]
    await call(session, "PUT", f"{instances.url}/types/{name}", {"provider": name})
    target = (await call(session, "POST", f"{instances.url}/v1/{name}", {"start": True}))["id"]
    dispatched: list[str] = []
    stop = asyncio.Event()

    async def keep_dispatching(number: int) -> None:
        while not stop.is_set():
            number += 10
            patches = f"{instances.url}/resources/{target}/patches"
            try:
                await call(session, "POST", patches, {"definition": {"patch_id": f"p{number}", "payload": {"s": 1}}})
                application = await call(session, "POST", f"{patches}/p{number}/apply", {})
                assert application["status"] == "dispatched"
                dispatched.append(application["id"])
            except _UNREACHABLE:
                continue

    writers = [asyncio.create_task(keep_dispatching(number)) for number in range(3)]
    for _ in range(ROUNDS):
        await asyncio.sleep(random.uniform(0.5, 1.5))
        await instances.kill_one()
    stop.set()
    await asyncio.gather(*writers)
    async with asyncio.timeout(120):  # a lease of a courier that was killed runs out after 15 s
        while set(dispatched) - provider.confirmed or provider.tasks:
            await asyncio.sleep(0.2)

    assert dispatched
    assert set(dispatched) <= set(provider.arrived)
    for application_id in provider.confirmed:
        found = await call(session, "GET", f"{instances.url}/applications/{application_id}")
        assert (found["status"], found["attempt"]) == ("applied", 1)
    content = await call(session, "GET", f"{instances.url}/v1/{name}/{target}")
    marks = [member for member in content if member.startswith("p")]
    history = await call(session, "GET", f"{instances.url}/v1/{name}/{target}/history?limit=1")
    assert len(marks) == len(provider.confirmed) == history[0]["version"] - 1, "each confirmation made one version"


async def test_a_rollout_goes_on_after_every_crash_and_changes_everything_once(
    spawn_service: Spawn, session: aiohttp.ClientSession
) -> None:
    instances = Instances(spawn_service)
    name = f"t-{uuid.uuid4().hex[:8]}"
    ids = [(await call(session, "POST", f"{instances.url}/v1/{name}", {"items": []}))["id"] for _ in range(TARGETS)]
    patches = f"/resources/{ids[0]}/patches"
    operations = [{"op": "add", "path": "/items/-", "value": "x"}]
    definition = {"patch_id": "p", "payload": {"operations": operations}}
    await call(session, "POST", instances.url + patches, {"definition": definition})
    order = {"type": name, "batch_size": 5}
    rollout = (await call(session, "POST", f"{instances.url}{patches}/p/rollouts", order))["id"]

    for _ in range(ROUNDS):
        await asyncio.sleep(random.uniform(0.1, 0.5))
        await instances.kill_one()
    async with asyncio.timeout(180):  # a lease of a worker that was killed runs out after 10 s
        while True:
            seen = await call(session, "GET", f"{instances.url}{patches}/p/rollouts/{rollout}")
            if seen["state"] != "running":
                break
            await asyncio.sleep(0.2)

    assert (seen["state"], seen["total"], seen["done"]) == ("finished", TARGETS, TARGETS)
    for resource_id in ids:
        assert (await call(session, "GET", f"{instances.url}/v1/{name}/{resource_id}"))["items"] == ["x"]
