"""Dispatch and confirmation, with a provider that really listens."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from standardwebhooks import Webhook

from service.app import create_app
from service.settings import Settings
from tests.api.conftest import exchange
from tests.clocks import ShiftedClock

Client = TestClient[web.Request, web.Application]


class Provider:
    """Takes events, verifies them with the library of the scheme, and keeps them."""

    def __init__(self) -> None:
        self.secret = ""
        self.url = ""
        self.port = 0
        self.status = 202
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        await self.events.put(Webhook(self.secret).verify(body, dict(request.headers)))
        await self.may_answer.wait()
        return web.Response(status=self.status)

    async def event(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.events.get(), 30)


class Scene:
    """A type whose patches go to a provider, one resource of it, and one patch recorded against that."""

    def __init__(self, client: Client, provider: Provider, clock: ShiftedClock) -> None:
        self.client, self.provider, self.clock = client, provider, clock
        self.type = f"dispatched-{uuid.uuid4().hex[:8]}"
        self.id, self.name = "", ""

    async def prepare(self, **definition: Any) -> None:
        name = self.name = f"p-{uuid.uuid4().hex[:8]}"
        made = await self.client.put(f"/providers/{name}", json={"url": self.provider.url, "deadline_s": 3600})
        self.provider.secret = (await made.json())["secret"]
        await self.ok(self.client.put(f"/types/{self.type}", json={"provider": name, **definition}))
        self.id = (await self.ok(self.client.post(f"/v1/{self.type}", json={"name": "A", "size": 1})))["id"]
        await self.ok(
            self.client.post(
                f"/resources/{self.id}/patches",
                json={"definition": {"patch_id": "p", "payload": {"script": "migrate.sql"}}},
            )
        )

    async def ok(self, request: Any) -> Any:
        response = await request
        assert response.status in (200, 201, 202), await response.text()
        return await response.json()

    async def apply(self) -> dict[str, Any]:
        """Apply the patch and return the event that the provider got."""
        application = await self.ok(self.client.post(f"/resources/{self.id}/patches/p/apply", json={}))
        assert application["status"] == "dispatched"
        return await self.provider.event()

    async def confirm(self, event: dict[str, Any], token: str | None = None, **said: Any) -> tuple[int, Any]:
        confirm = event["data"]["confirm"]
        response = await self.client.post(
            confirm["url"], json={"success": True, **said}, headers={"Patchbay-Token": token or confirm["token"]}
        )
        return response.status, await response.json()

    async def deliveries(self, state: str) -> list[dict[str, Any]]:
        """Wait until there are deliveries in that state."""
        async with asyncio.timeout(30):
            while not (found := await self.ok(self.client.get(f"/deliveries?provider={self.name}&state={state}"))):
                await asyncio.sleep(0.1)
        listed: list[dict[str, Any]] = found
        return listed

    async def resource(self) -> Any:
        return await self.ok(self.client.get(f"/v1/{self.type}/{self.id}"))

    async def patch_resource(self, **members: Any) -> None:
        await self.ok(
            self.client.patch(
                f"/v1/{self.type}/{self.id}",
                data=msgspec.json.encode(members),
                headers={"Content-Type": "application/merge-patch+json"},
            )
        )


@pytest.fixture(name="scene")
async def make_scene(
    aiohttp_client: Callable[..., Awaitable[Client]],
    aiohttp_server: Callable[[web.Application], Awaitable[TestServer]],
    settings: Settings,
) -> Scene:
    provider, app, clock = Provider(), web.Application(), ShiftedClock()
    app.router.add_post("/hook", provider.take)
    server = await aiohttp_server(app)
    provider.url, provider.port = str(server.make_url("/hook")), server.port or 0
    allowed = msgspec.structs.replace(settings, url_allow=("127.0.0.0/8",), url_ports=(provider.port,))
    return Scene(await aiohttp_client(create_app(allowed, clock=clock)), provider, clock)


async def test_confirmed_content_becomes_the_next_version(scene: Scene) -> None:
    await scene.prepare()

    event = await scene.apply()

    assert event["type"] == "patch.dispatched"
    assert event["data"]["target"]["content"] == {"name": "A", "size": 1}
    assert event["data"]["patch"]["definition"]["payload"] == {"script": "migrate.sql"}
    status, application = await scene.confirm(event, modified_content={"name": "A", "size": 2})
    assert (status, application["status"]) == (200, "applied")
    assert (application["base_version"], application["result_version"]) == (1, 2)
    assert (await scene.resource())["size"] == 2


async def test_the_same_confirmation_again_has_no_second_effect(scene: Scene) -> None:
    await scene.prepare()
    event = await scene.apply()
    first = await scene.confirm(event, modified_content={"name": "A", "size": 2})
    await scene.patch_resource(size=3)

    again = await scene.confirm(event, modified_content={"name": "A", "size": 2})
    otherwise = await scene.confirm(event, success=False)

    assert again == first
    assert otherwise[0] == 409
    assert otherwise[1]["code"] == "invalid-transition"
    assert (await scene.resource())["size"] == 3


async def test_a_failure_is_told_and_can_be_tried_again(scene: Scene) -> None:
    await scene.prepare()
    first = await scene.apply()
    status, application = await scene.confirm(first, success=False, message="out of disk")
    assert (status, application["status"], application["error"]) == (200, "failed", "out of disk")

    retried = await scene.ok(scene.client.post(f"/resources/{scene.id}/patches/p/retry", json={}))
    second = await scene.provider.event()

    assert (retried["status"], retried["attempt"]) == ("dispatched", 2)
    assert second["id"] != first["id"]
    assert (await scene.confirm(second, token=first["data"]["confirm"]["token"]))[0] == 409, "the first one's is spent"
    assert (await scene.confirm(second))[1]["status"] == "applied"


async def test_forged_foreign_and_missing_tokens_are_refused(scene: Scene) -> None:
    await scene.prepare()
    event = await scene.apply()
    foreign = await _other_application(scene)

    for token in ("1.forged", "x", "1", "9" * 20 + ".x", "1." + "é", foreign):
        status, problem = await scene.confirm(event, token=token)
        assert (status, problem["code"]) == (403, "forbidden"), token
    url = event["data"]["confirm"]["url"]
    head = (
        f"POST {url} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 16\r\nPatchbay-Token: 1."
    )
    assert (await exchange(scene.client, head.encode() + b'\xff\r\n\r\n{"success":true}')).status == 403
    response = await scene.client.post(url, json={"success": True})
    assert response.status == 401
    assert (await scene.confirm(event))[0] == 200


async def _other_application(scene: Scene) -> str:
    await scene.ok(
        scene.client.post(f"/resources/{scene.id}/patches", json={"definition": {"patch_id": "q", "payload": {"s": 1}}})
    )
    await scene.ok(scene.client.post(f"/resources/{scene.id}/patches/q/apply", json={}))
    return str((await scene.provider.event())["data"]["confirm"]["token"])


async def test_a_cancelled_application_is_not_confirmed(scene: Scene) -> None:
    await scene.prepare()
    event = await scene.apply()
    cancelled = await scene.ok(scene.client.post(f"/resources/{scene.id}/patches/p/cancel", json={}))

    status, problem = await scene.confirm(event, modified_content={"name": "B"})

    assert cancelled["status"] == "failed"
    assert cancelled["provider"] != "builtin"
    assert (status, problem["code"]) == (409, "invalid-transition")
    assert (await scene.resource())["name"] == "A"


async def test_without_a_confirmation_the_deadline_lets_it_fail(scene: Scene) -> None:
    await scene.prepare()
    event = await scene.apply()
    scene.clock.ahead = timedelta(seconds=3601)

    status, problem = await scene.confirm(event)

    assert (status, problem["code"]) == (409, "invalid-transition")
    application = await scene.ok(scene.client.get(f"/applications/{event['data']['application_id']}"))
    assert application["status"] == "failed"
    assert "did not confirm" in application["error"]


async def test_deadlines_are_kept_without_anybody_asking(scene: Scene) -> None:
    await scene.prepare()
    event = await scene.apply()
    scene.clock.ahead = timedelta(seconds=3601)

    async with asyncio.timeout(30):
        while True:
            application = await scene.ok(scene.client.get(f"/applications/{event['data']['application_id']}"))
            if application["status"] == "failed":
                break
            await asyncio.sleep(0.1)

    assert application["deadline_at"] is None


async def test_what_others_changed_meanwhile_is_kept(scene: Scene) -> None:
    await scene.prepare()
    event = await scene.apply()
    await scene.patch_resource(name="B")

    status, application = await scene.confirm(event, modified_content={"name": "A", "size": 2})

    assert (status, application["result_version"]) == (200, 3)
    resource = await scene.resource()
    assert (resource["name"], resource["size"]) == ("B", 2)


async def test_what_both_changed_stands_in_the_way_and_the_token_stays_good(scene: Scene) -> None:
    await scene.prepare()
    event = await scene.apply()
    await scene.patch_resource(size=9)

    status, problem = await scene.confirm(event, modified_content={"name": "A", "size": 2})

    assert (status, problem["code"]) == (409, "application-failed")
    assert problem["errors"][0]["pointer"] == "/size"
    assert (await scene.confirm(event))[1]["status"] == "applied"


async def test_content_that_breaks_the_schema_is_refused_and_the_token_stays_good(scene: Scene) -> None:
    await scene.prepare(schema={"type": "object", "properties": {"size": {"type": "integer"}}})
    event = await scene.apply()

    status, problem = await scene.confirm(event, modified_content={"name": "A", "size": "large"})

    assert (status, problem["code"]) == (422, "schema-violation")
    assert (await scene.confirm(event, modified_content={"name": "A", "size": 5}))[0] == 200
    assert (await scene.resource())["size"] == 5


async def test_two_confirmations_at_once_have_one_effect(scene: Scene) -> None:
    await scene.prepare()
    event = await scene.apply()

    answers = await asyncio.gather(
        *(scene.confirm(event, modified_content={"name": "A", "size": number}) for number in range(10, 15))
    )

    assert sorted(status for status, _ in answers) == [200, 409, 409, 409, 409]
    winner = next(application for status, application in answers if status == 200)
    history = await scene.ok(scene.client.get(f"/v1/{scene.type}/{scene.id}/history"))
    assert winner["result_version"] == len(history) == 2


@pytest.mark.parametrize("said", [{}, {"modified_content": {"name": "A", "size": 2}}, {"success": False}])
async def test_the_same_confirmation_twice_at_a_time_is_answered_the_same(scene: Scene, said: dict[str, Any]) -> None:
    """A provider that does not wait for the answer sends it again."""
    await scene.prepare()
    event = await scene.apply()

    answers = await asyncio.gather(*(scene.confirm(event, **said) for _ in range(10)))

    assert {status for status, _ in answers} == {200}
    assert [application for _, application in answers] == [answers[0][1]] * 10
    assert answers[0][1]["moves"] == 2


async def test_a_provider_that_is_not_there_lets_the_application_fail(scene: Scene) -> None:
    await scene.prepare()
    await scene.ok(scene.client.put(f"/types/{scene.type}", json={"provider": "nobody"}, headers={"If-Match": "*"}))

    response = await scene.client.post(f"/resources/{scene.id}/patches/p/apply", json={})

    assert response.status == 409
    problem = await response.json()
    assert problem["code"] == "application-failed"
    assert problem["application"]["status"] == "failed"


@pytest.mark.parametrize(
    ("constraints", "body", "status"),
    [([{"field": "size", "operator": ">", "value": 10}], {}, 409), ([], {"if_version": 2}, 412)],
)
async def test_what_was_not_meant_for_the_target_is_no_failure_of_a_provider_that_is_not_there(
    scene: Scene, constraints: list[Any], body: dict[str, Any], status: int
) -> None:
    await scene.prepare()
    await scene.ok(scene.client.put(f"/types/{scene.type}", json={"provider": "nobody"}))
    path = f"/resources/{scene.id}/patches"
    await scene.ok(scene.client.post(path, json={"definition": {"patch_id": "q"}, "constraints": constraints}))

    response = await scene.client.post(f"{path}/q/apply", json=body)

    assert (response.status, (await response.json())["code"] == "application-failed") == (status, False)
    assert await scene.ok(scene.client.get(f"{path}/q/applications")) == []


async def test_a_patch_that_does_not_fit_is_not_sent(scene: Scene) -> None:
    await scene.prepare()
    constraint = {"field": "size", "operator": ">", "value": 10}
    body = {"definition": {"patch_id": "large"}, "constraints": [constraint]}
    await scene.ok(scene.client.post(f"/resources/{scene.id}/patches", json=body))

    response = await scene.client.post(f"/resources/{scene.id}/patches/large/apply", json={})

    assert (response.status, (await response.json())["code"]) == (409, "incompatible-target")
    assert scene.provider.events.empty()


async def test_reverting_takes_back_only_what_the_provider_changed(scene: Scene) -> None:
    await scene.prepare()
    event = await scene.apply()
    await scene.patch_resource(name="B")
    await scene.confirm(event, modified_content={"name": "A", "size": 2})

    await scene.ok(scene.client.post(f"/resources/{scene.id}/patches/p/revert"))

    resource = await scene.resource()
    assert (resource["name"], resource["size"]) == ("B", 1)


async def test_reverting_what_the_provider_found_done_changes_nothing(scene: Scene) -> None:
    await scene.prepare()
    event = await scene.apply()
    await scene.patch_resource(size=2)
    _, application = await scene.confirm(event, modified_content={"name": "A", "size": 2})

    await scene.ok(scene.client.post(f"/resources/{scene.id}/patches/p/revert"))

    assert application["result_version"] == application["base_version"] == 1
    assert (await scene.resource())["size"] == 2


async def test_a_dry_confirmation_changes_nothing(scene: Scene) -> None:
    await scene.prepare()
    event = await scene.apply()
    confirm = event["data"]["confirm"]

    response = await scene.client.post(
        f"{confirm['url']}?dryRun=true",
        json={"success": True, "modified_content": {"name": "A", "size": 2}},
        headers={"Patchbay-Token": confirm["token"]},
    )

    assert (response.status, (await response.json())["status"]) == (200, "applied")
    assert (await scene.resource())["size"] == 1
    assert (await scene.confirm(event))[1]["status"] == "applied"


async def test_a_dead_letter_is_listed_and_replayed(scene: Scene) -> None:
    await scene.prepare()
    scene.provider.status = 410  # the provider wants no more: it is disabled

    event = await scene.apply()
    dead = await scene.deliveries("dead")

    assert [each["id"] for each in dead] == [event["id"]]
    assert (await scene.ok(scene.client.get(f"/deliveries/{event['id']}")))["status"] == 410
    assert (await scene.ok(scene.client.get(f"/providers/{scene.name}")))["disabled_at"] is not None

    scene.provider.status = 202
    await scene.ok(scene.client.put(f"/providers/{scene.name}", json={"url": scene.provider.url}))  # enabled again
    tried = await scene.ok(scene.client.post(f"/deliveries/{event['id']}/replay?dryRun=true"))
    assert tried["state"] == "waiting"
    assert [each["id"] for each in await scene.deliveries("dead")] == [event["id"]]
    assert await scene.ok(scene.client.post("/deliveries/replay", json={"provider": scene.name})) == {"replayed": 1}

    assert (await scene.provider.event())["id"] == event["id"]
    assert [each["id"] for each in await scene.deliveries("delivered")] == [event["id"]]
    again = await scene.client.post(f"/deliveries/{event['id']}/replay")
    assert (again.status, (await again.json())["code"]) == (409, "invalid-transition")
    assert (await scene.confirm(event))[1]["status"] == "applied"


async def test_a_provider_that_was_written_anew_meanwhile_is_not_disabled(scene: Scene) -> None:
    await scene.prepare()
    scene.provider.status = 410
    scene.provider.may_answer.clear()
    event = await scene.apply()

    await scene.ok(scene.client.put(f"/providers/{scene.name}", json={"url": f"{scene.provider.url}?moved"}))
    scene.provider.may_answer.set()
    dead = await scene.deliveries("dead")

    assert [each["id"] for each in dead] == [event["id"]]
    assert (await scene.ok(scene.client.get(f"/providers/{scene.name}")))["disabled_at"] is None


async def test_a_provider_that_something_waits_for_stays(scene: Scene) -> None:
    await scene.prepare()
    scene.provider.status = 503

    await scene.apply()
    await scene.ok(scene.client.put(f"/types/{scene.type}", json={}, headers={"If-Match": "*"}))
    refused = await scene.client.delete(f"/providers/{scene.name}")

    assert (refused.status, (await refused.json())["code"]) == (409, "still-referenced")


async def test_a_provider_goes_once_the_applications_that_waited_for_it_are_cancelled(scene: Scene) -> None:
    await scene.prepare()
    scene.provider.status = 503
    await scene.apply()
    await scene.ok(scene.client.put(f"/types/{scene.type}", json={}))
    await scene.ok(scene.client.post(f"/resources/{scene.id}/patches/p/cancel", json={}))

    gone = await scene.client.delete(f"/providers/{scene.name}")

    assert gone.status == 204, await gone.text()


async def test_a_retry_is_sent_at_once_however_long_the_attempt_before_it_had_to_wait(scene: Scene) -> None:
    await scene.prepare()
    scene.provider.status = 503
    first = await scene.apply()
    scene.clock.ahead = timedelta(seconds=10)
    assert (await scene.provider.event())["id"] == first["id"]  # the next try would be in five minutes
    await scene.ok(scene.client.post(f"/resources/{scene.id}/patches/p/cancel", json={}))
    scene.provider.status = 202

    await scene.ok(scene.client.post(f"/resources/{scene.id}/patches/p/retry", json={}))
    event = await scene.provider.event()

    assert event["id"] != first["id"]
    assert [each["id"] for each in await scene.deliveries("superseded")] == [first["id"]]
    assert (await scene.confirm(event))[1]["status"] == "applied"


async def test_nobody_confirms_what_is_not_there(scene: Scene) -> None:
    response = await scene.client.post(
        "/applications/none/confirm", json={"success": True}, headers={"Patchbay-Token": "x"}
    )

    assert (response.status, (await response.json())["code"]) == (404, "not-found")


async def test_content_for_a_target_that_was_deleted_is_refused(scene: Scene) -> None:
    await scene.prepare()
    event = await scene.apply()
    assert (await scene.client.delete(f"/v1/{scene.type}/{scene.id}")).status == 204

    status, problem = await scene.confirm(event, modified_content={"name": "A", "size": 2})

    assert (status, problem["code"]) == (410, "gone")


async def test_a_key_holds_for_replays_and_confirmations(scene: Scene) -> None:
    await scene.prepare()
    scene.provider.status = 410
    event = await scene.apply()
    await scene.deliveries("dead")
    scene.provider.status = 202
    await scene.ok(scene.client.put(f"/providers/{scene.name}", json={"url": scene.provider.url}))
    key = {"Idempotency-Key": str(uuid.uuid4())}

    for _ in range(2):
        replayed = scene.client.post("/deliveries/replay", json={"provider": scene.name}, headers=key)
        assert await scene.ok(replayed) == {"replayed": 1}
    await scene.provider.event()

    confirm = event["data"]["confirm"]
    named = {"Idempotency-Key": str(uuid.uuid4()), "Patchbay-Token": confirm["token"]}
    first, again, foreign = [
        await scene.client.post(confirm["url"], json={"success": True}, headers={**named, **more})
        for more in ({}, {}, {"Patchbay-Token": "1.other"})
    ]
    assert await first.json() == await again.json()
    assert (again.status, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert (foreign.status, (await foreign.json())["code"]) == (422, "idempotency-key-reused")
