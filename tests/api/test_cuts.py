"""Requests cut off at every await in turn, as at the end of a grace: asked again, each has taken effect once."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from itertools import count
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from aiohttp.typedefs import Handler

from service.app import create_app
from service.settings import Settings
from service.store.checking import SUBJECTS, Checker
from service.store.mongo import Database, connect
from tests.cancelling import Cut, Moment
from tests.clocks import ShiftedClock

Client = TestClient[web.Request, web.Application]
Statuses = tuple[int, ...]
_GOOD: Statuses = (200, 201, 202, 204)
JSON, PATCH = "application/json", "application/json-patch+json"
_JSON = {"Content-Type": JSON}
MERGE = {"Content-Type": "application/merge-patch+json"}


class Scene:
    """A service that cuts the requests it is told to."""

    def __init__(self, client: Client, clock: ShiftedClock, database: Database, moment: Moment) -> None:
        self.client, self.clock, self.database, self.moment = client, clock, database, moment
        self.cuts = 0

    async def ok(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return await self.answered(_GOOD, method, path, body, **headers)

    async def answered(self, expected: Statuses, method: str, path: str, body: Any = None, **headers: str) -> Any:
        async with self.client.request(
            method, path, data=json.dumps(body), headers={"Content-Type": JSON} | headers
        ) as response:
            assert response.status in expected, (path, await response.text())
            return await response.json() if response.status != 204 else None

    async def make(self, **content: Any) -> str:
        return str((await self.ok("POST", "/v1/clinic", content))["id"])

    async def ask(
        self, number: int, method: str, path: str, body: Any, *, media_type: str = JSON, expected: Statuses = _GOOD
    ) -> bool:
        """Ask, cut at the await of that number, and again with the same key; False when it was answered before."""
        headers = {"Content-Type": media_type, "Idempotency-Key": str(uuid.uuid4())}
        try:
            await self.answered(expected, method, path, body, Cut=f"{number} {self.moment}", **headers)
        except aiohttp.ServerDisconnectedError:
            self.clock.ahead += timedelta(seconds=61)  # the key is free again
        else:
            return False
        self.cuts += 1
        async with asyncio.timeout(60):
            while await self._is_busy(expected, method, path, body, **headers):
                await asyncio.sleep(0.05)
        return True

    async def _is_busy(self, expected: Statuses, method: str, path: str, body: Any, **headers: str) -> bool:
        """Ask; tell whether what was cut still holds the key, because the database was at it."""
        async with self.client.request(
            method, path, data=json.dumps(body), headers={"Content-Type": JSON} | headers
        ) as response:
            answer = await response.json()
            if response.status == 409 and answer["code"] == "idempotency-key-in-use":
                return True
            assert response.status in expected, (path, answer)
        return False

    async def check(self) -> None:
        """Look over the database, as `patchbay check` does."""
        checker = Checker(self.database, "")
        for subject in SUBJECTS:
            assert [each async for each in checker.check(subject, lambda _: None) if each.is_wrong] == []
        assert self.cuts > 1


@web.middleware
async def cutting(request: web.Request, handler: Handler) -> web.StreamResponse:
    if "Cut" not in request.headers:
        return await handler(request)
    number, moment = request.headers["Cut"].split()
    response: Any = await Cut(handler(request), int(number), moment).run()  # type: ignore[arg-type]
    return response  # type: ignore[no-any-return]


@pytest.fixture(name="scene", params=["waiting", "served"])
async def make_scene(
    aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings, request: pytest.FixtureRequest
) -> AsyncIterator[Scene]:
    own = msgspec.structs.replace(settings, mongodb_database=f"cuts-{uuid.uuid4().hex[:12]}")
    clock = ShiftedClock()
    app = create_app(own, clock=clock)
    app.middlewares.append(cutting)
    client, driver = await aiohttp_client(app), connect(own.mongodb_uri or "")
    try:
        yield Scene(client, clock, driver[own.mongodb_database], request.param)
    finally:
        await client.close()
        await driver.drop_database(own.mongodb_database)
        driver.close()


async def test_a_resource_with_an_identifier_is_made_once(scene: Scene) -> None:
    for number in count():
        value = str(uuid.uuid4())
        more = await scene.ask(number, "POST", "/v1/clinic", {"identifier": [{"system": "s", "value": value}]})
        listed = await scene.ok("GET", f"/v1/clinic?identifier.value={value}")
        assert len(listed) == 1
        if not more:
            break
    await scene.check()


async def test_a_patch_is_applied_once(scene: Scene) -> None:
    for number in count():
        made = await scene.make(items=[])
        operations = [{"op": "add", "path": "/items/-", "value": 1}]
        more = await scene.ask(
            number, "PATCH", f"/v1/clinic/{made}", operations, media_type="application/json-patch+json"
        )
        assert (await scene.ok("GET", f"/v1/clinic/{made}"))["items"] == [1]
        if not more:
            break
    await scene.check()


async def test_a_contained_resource_is_made_once(scene: Scene) -> None:
    parent = {"type": "clinic", "property": "clinic", "as": "rooms", "many": True}
    await scene.ok("PUT", "/types/room", {"parent": parent})
    for number in count():
        made = await scene.make()
        more = await scene.ask(number, "POST", "/v1/room", {"clinic": made})
        assert len((await scene.ok("GET", f"/v1/clinic/{made}"))["rooms"]) == 1
        if not more:
            break
    await scene.check()


async def test_a_version_is_reverted_to_once(scene: Scene) -> None:
    for number in count():
        made = await scene.make(n=1)
        await scene.ok("PATCH", f"/v1/clinic/{made}", {"n": 2}, **MERGE)
        more = await scene.ask(number, "POST", f"/v1/clinic/{made}/revert", {"version": 1})
        assert [each["version"] for each in await scene.ok("GET", f"/v1/clinic/{made}/history")] == [3, 2, 1]
        if not more:
            break
    await scene.check()


async def test_a_patch_record_is_made_and_applied_once(scene: Scene) -> None:
    definition = {"patch_id": "p", "payload": {"operations": [{"op": "add", "path": "/items/-", "value": 1}]}}
    for number in count():
        made = await scene.make(items=[])
        patches = f"/resources/{made}/patches"
        more = await scene.ask(number, "POST", patches, {"definition": definition})
        more |= await scene.ask(number, "POST", f"{patches}/p/apply", {})
        assert (await scene.ok("GET", f"/v1/clinic/{made}"))["items"] == [1]
        applications = await scene.ok("GET", f"{patches}/p/applications")
        assert [(each["status"], each["result_version"]) for each in applications] == [("applied", 2)]
        if not more:
            break
    await scene.check()


async def test_a_dispatched_patch_is_sent_once(scene: Scene) -> None:
    await scene.ok("PUT", "/providers/erp", {"url": "https://erp.example/hook"})
    await scene.ok("PUT", "/types/clinic", {"provider": "erp"})
    for number in count():
        patches = f"/resources/{await scene.make()}/patches"
        await scene.ok("POST", patches, {"definition": {"patch_id": "p", "payload": {"script": "x"}}})
        more = await scene.ask(number, "POST", f"{patches}/p/apply", {})
        (application,) = await scene.ok("GET", f"{patches}/p/applications")
        assert await scene.database["outbox"].count_documents({"application": application["id"]}) == 1
        if not more:
            break
    await scene.check()


async def test_a_failed_application_is_told_and_tried_again_once(scene: Scene) -> None:
    payload = {"operations": [{"op": "test", "path": "/n", "value": 1}, {"op": "remove", "path": "/n"}]}
    for number in count():
        made = await scene.make(n=2)
        patches = f"/resources/{made}/patches"
        await scene.ok("POST", patches, {"definition": {"patch_id": "p", "payload": payload}})
        more = await scene.ask(number, "POST", f"{patches}/p/apply", {}, expected=(409,))
        await scene.ok("PATCH", f"/v1/clinic/{made}", {"n": 1}, **MERGE)
        more |= await scene.ask(number, "POST", f"{patches}/p/retry", {})
        (application,) = await scene.ok("GET", f"{patches}/p/applications")
        assert (application["status"], application["attempt"], application["moves"]) == ("applied", 2, 2)
        if not more:
            break
    await scene.check()


async def test_an_application_is_called_off_once(scene: Scene) -> None:
    await scene.ok("PUT", "/providers/erp", {"url": "https://erp.example/hook"})
    await scene.ok("PUT", "/types/clinic", {"provider": "erp"})
    for number in count():
        patches = f"/resources/{await scene.make()}/patches"
        await scene.ok("POST", patches, {"definition": {"patch_id": "p", "payload": {"script": "x"}}})
        await scene.ok("POST", f"{patches}/p/apply", {})
        more = await scene.ask(number, "POST", f"{patches}/p/cancel", {})
        (application,) = await scene.ok("GET", f"{patches}/p/applications")
        assert (application["status"], application["moves"]) == ("failed", 2)
        if not more:
            break
    await scene.check()


async def test_an_application_is_taken_back_once(scene: Scene) -> None:
    payload = {"operations": [{"op": "add", "path": "/n", "value": 2}]}
    for number in count():
        made = await scene.make(n=1)
        patches = f"/resources/{made}/patches"
        await scene.ok("POST", patches, {"definition": {"patch_id": "p", "payload": payload}})
        await scene.ok("POST", f"{patches}/p/apply", {})
        more = await scene.ask(number, "POST", f"{patches}/p/revert", {})
        assert [each["version"] for each in await scene.ok("GET", f"/v1/clinic/{made}/history")] == [3, 2, 1]
        assert len(await scene.ok("GET", patches)) == 2
        if not more:
            break
    await scene.check()


async def test_a_rollout_is_started_once(scene: Scene) -> None:
    payload = {"operations": [{"op": "add", "path": "/n", "value": 2}]}
    for number in count():
        patches = f"/resources/{await scene.make(n=1)}/patches"
        await scene.ok("POST", patches, {"definition": {"patch_id": "p", "payload": payload}})
        more = await scene.ask(number, "POST", f"{patches}/p/rollouts", {"type": "clinic"})
        assert len(await scene.ok("GET", f"{patches}/p/rollouts")) == 1
        if not more:
            break
    await scene.check()


async def test_a_rollout_is_steered_once(scene: Scene) -> None:
    await scene.ok("PUT", "/types/clinic", {"schema": {"properties": {"n": {"maximum": 1}}}})
    payload = {"operations": [{"op": "add", "path": "/n", "value": 2}]}
    for number in count():
        patches = f"/resources/{await scene.make(n=1)}/patches"
        await scene.ok("POST", patches, {"definition": {"patch_id": "p", "payload": payload}})
        started = await scene.ok("POST", f"{patches}/p/rollouts", {"type": "clinic"})
        rollout = f"{patches}/p/rollouts/{started['id']}"
        async with asyncio.timeout(60):
            while (await scene.ok("GET", rollout))["state"] != "halted":
                await asyncio.sleep(0.05)
        more = await scene.ask(number, "POST", f"{rollout}/cancel", None)
        assert (await scene.ok("GET", rollout))["state"] == "cancelled"
        if not more:
            break
    await scene.check()


async def test_a_job_is_kept_once(scene: Scene) -> None:
    for number in count():
        asked = {"a": {"type": "inline", "value": 1}, "b": {"type": "inline", "value": 2}, "async": True}
        more = await scene.ask(number, "POST", "/api/json/v1/patch", asked)
        assert await scene.database["jobs"].count_documents({}) == number + 1
        if not more:
            break
    await scene.check()


async def test_a_family_goes_as_a_whole_when_asked_again(scene: Scene) -> None:
    parent = {"type": "clinic", "property": "clinic", "as": "rooms", "many": True}
    await scene.ok("PUT", "/types/room", {"parent": parent})
    for number in count():
        made = await scene.make()
        await asyncio.gather(*(scene.ok("POST", "/v1/room", {"clinic": made}) for _ in range(3)))
        try:
            await scene.ok("DELETE", f"/v1/clinic/{made}?cascade=true", Cut=f"{number} {scene.moment}")
        except aiohttp.ServerDisconnectedError:
            scene.cuts += 1
            async with scene.client.delete(f"/v1/clinic/{made}?cascade=true") as again:
                assert again.status in (204, 410)
        else:
            break
        assert await scene.ok("GET", "/v1/room") == []
    await scene.check()


async def test_a_type_is_defined_when_asked_again(scene: Scene) -> None:
    for number in count():
        definition = {"schema": {"maxProperties": number}}
        more = await scene.ask(number, "PUT", "/types/kind", definition)
        assert (await scene.ok("GET", "/types/kind"))["schema"] == definition["schema"]
        if not more:
            break
    await scene.check()
