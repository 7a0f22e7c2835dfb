"""Rollouts: a patch applied to everything that it fits, steered from outside."""

import asyncio
import contextlib
import io
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from service.core.constraints import Constraint
from service.core.timestamp import format_timestamp
from service.keys import DESK, ROLLING
from service.model import ANONYMOUS
from service.rollouts import Order, Rollout
from service.settings import Settings
from service.store.mongo import connect
from tests.api.conftest import Starter

Client = TestClient[web.Request, web.Application]
SET = {"operations": [{"op": "add", "path": "/seen", "value": True}]}
FAILING = {"operations": [{"op": "remove", "path": "/not-there"}]}
LIVE = ("running",)


class Scene:
    """A type of its own with some resources, and a patch recorded against one of them."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.type = f"rolled-{uuid.uuid4().hex[:8]}"
        self.ids: list[str] = []
        self.patches = ""

    async def prepare(self, count: int, payload: dict[str, Any] = SET, **content: Any) -> None:
        answers = await asyncio.gather(
            *(self.ok("post", f"/v1/{self.type}", {"number": number, **content}) for number in range(count))
        )
        self.ids = [answer["id"] for answer in answers]
        self.patches = f"/resources/{self.ids[0]}/patches"
        only = [{"field": "number", "operator": ">=", "value": 1}]
        definition = {"patch_id": "p", "payload": payload, "constraints": only}
        await self.ok("post", self.patches, {"definition": definition})

    async def ok(self, method: str, path: str, body: Any = None) -> Any:
        response = await self.client.request(method, path, json=body)
        assert response.status in (200, 201, 202), await response.text()
        return await response.json()

    async def start(self, **order: Any) -> str:
        rollout = await self.ok("post", f"{self.patches}/p/rollouts", {"type": self.type, **order})
        return f"{self.patches}/p/rollouts/{rollout['id']}"

    async def until(self, rollout: str, *states: str) -> dict[str, Any]:
        async with asyncio.timeout(60):
            while (seen := await self.ok("get", rollout))["state"] not in states:
                await asyncio.sleep(0.05)
        return dict(seen)

    async def seen(self) -> int:
        resources = [await self.ok("get", f"/v1/{self.type}/{each}") for each in self.ids]
        return sum("seen" in each for each in resources)


@pytest.fixture(name="scene")
async def make_scene(client: Client) -> Scene:
    return Scene(client)


async def test_everything_that_fits_is_changed_once(scene: Scene) -> None:
    await scene.prepare(31)

    rollout = await scene.until(await scene.start(batch_size=7), "finished")

    assert (rollout["total"], rollout["done"], rollout["failed"], rollout["skipped"]) == (30, 30, 0, 0)
    assert rollout["finished_at"]
    assert rollout["rate"] > 0
    assert await scene.seen() == 30
    versions = [(await scene.ok("get", f"/v1/{scene.type}/{each}/history"))[0]["version"] for each in scene.ids]
    assert sorted(versions) == [1, *[2] * 30]


async def test_a_second_rollout_skips_what_the_first_did(scene: Scene) -> None:
    await scene.prepare(6)
    await scene.until(await scene.start(), "finished")

    again = await scene.until(await scene.start(), "finished")

    assert (again["total"], again["done"], again["skipped"]) == (5, 0, 5)


async def test_a_filter_narrows(scene: Scene) -> None:
    await scene.prepare(11)

    rollout = await scene.until(
        await scene.start(filter=[{"field": "number", "operator": "<=", "value": 3}]), "finished"
    )

    assert rollout["done"] == await scene.seen() == 3


@pytest.mark.parametrize(
    ("operator", "field", "value", "status"),
    [("in", "number", 3, 400), ("==", "/number~2", 3, 400), ("in", "number", ["x" * 1_100_000], 413)],
)
async def test_a_filter_that_cannot_be_judged_is_refused_and_nothing_starts(
    scene: Scene, operator: str, field: str, value: Any, status: int
) -> None:
    await scene.prepare(2)
    rule = {"field": field, "operator": operator, "value": value}

    body = io.BytesIO(json.dumps({"filter": [rule]}).encode())
    headers = {"Content-Type": "application/json"}
    response = await scene.client.post(f"{scene.patches}/p/rollouts", data=body, headers=headers)

    assert response.status == status
    assert (await response.json())["errors"][0]["field"].startswith("filter")
    assert await scene.ok("get", f"{scene.patches}/p/rollouts") == []


async def test_a_dry_run_changes_nothing(scene: Scene) -> None:
    await scene.prepare(6)

    rollout = await scene.until(await scene.start(dry_run=True), "finished")

    assert (rollout["dry_run"], rollout["done"]) == (True, 5)
    assert await scene.seen() == 0
    assert await scene.ok("get", f"{scene.patches}/p/applications") == []


async def test_too_many_failures_halt_and_it_can_be_resumed(scene: Scene) -> None:
    await scene.prepare(21, FAILING)

    path = await scene.start(batch_size=5, max_failures=3)
    halted = await scene.until(path, "halted")
    await scene.ok("post", f"{path}/resume")
    further = await scene.until(path, "halted")

    assert halted["failed"] == 5
    assert halted["error"]
    assert further["failed"] == 10
    assert await scene.seen() == 0


async def test_one_that_halted_at_its_last_batch_finishes_when_it_is_resumed(scene: Scene) -> None:
    await scene.prepare(4, FAILING)
    path = await scene.start()
    halted = await scene.until(path, "halted")

    await scene.ok("post", f"{path}/resume")
    ended = await scene.until(path, "finished", "halted")

    assert (ended["state"], ended["failed"]) == ("finished", halted["failed"]) == ("finished", 3)


async def test_pause_resume_and_cancel(scene: Scene) -> None:
    await scene.prepare(40)
    path = await scene.start(batch_size=1)
    paused = await scene.ok("post", f"{path}/pause")
    await asyncio.sleep(1)
    still = await scene.ok("get", path)

    assert paused["state"] == still["state"] == "paused"
    assert still["done"] < 39
    await scene.ok("post", f"{path}/resume")
    finished = await scene.until(path, "finished")
    assert finished["done"] == 39
    assert finished["skipped"] == 0
    refused = await scene.client.post(f"{path}/cancel")
    assert refused.status == 409
    assert "nothing" in (await refused.json())["detail"]


async def test_what_was_under_way_when_it_was_stopped_is_told(scene: Scene) -> None:
    await scene.prepare(150)
    path = await scene.start(batch_size=500)
    async with asyncio.timeout(30):
        while (await scene.ok("get", path))["total"] is None:
            await asyncio.sleep(0.01)

    for wish in ("pause", "cancel"):
        await scene.ok("post", f"{path}/{wish}")
    async with asyncio.timeout(30):
        while (told := await scene.ok("get", path))["done"] != 149:
            await asyncio.sleep(0.1)

    assert (told["state"], await scene.seen()) == ("cancelled", 149)


async def test_what_failed_while_it_was_being_paused_halts_it_when_it_is_resumed(scene: Scene) -> None:
    await scene.prepare(251, FAILING)
    path = await scene.start(batch_size=200)
    async with asyncio.timeout(30):
        while (await scene.ok("get", path))["total"] is None:
            await asyncio.sleep(0.01)
    await scene.ok("post", f"{path}/pause")
    async with asyncio.timeout(30):
        while not (paused := await scene.ok("get", path))["failed"]:
            await asyncio.sleep(0.1)

    await scene.ok("post", f"{path}/resume")
    halted = await scene.until(path, "halted")

    assert (paused["state"], paused["failed"], halted["failed"]) == ("paused", 200, 200)
    await scene.ok("post", f"{path}/resume")
    assert (await scene.until(path, "halted"))["failed"] == 250


async def test_what_a_stop_interrupts_is_free_at_once(start: Starter, settings: Settings) -> None:
    name = f"{settings.mongodb_database}-stop"
    scene = Scene(await start(mongodb_database=name))
    await scene.prepare(300)
    path = await scene.start(batch_size=1)
    async with asyncio.timeout(60):
        while not (await scene.ok("get", path))["done"]:
            await asyncio.sleep(0.01)

    await scene.client.close()

    with contextlib.closing(connect(settings.mongodb_uri or "")) as driver:
        left = await driver[name]["rollouts"].find_one({})
        await driver.drop_database(name)
    assert left is not None
    assert (left["state"], left["leased"] <= format_timestamp(datetime.now(UTC))) == ("running", True)


async def test_cancelled_is_final(scene: Scene) -> None:
    await scene.prepare(30)
    path = await scene.start(batch_size=1)

    cancelled = await scene.ok("post", f"{path}/cancel")

    assert cancelled["state"] == "cancelled"
    assert (await scene.client.post(f"{path}/resume")).status == 409


async def test_progress_is_streamed_to_the_end(scene: Scene) -> None:
    await scene.prepare(31)
    path = await scene.start(batch_size=5)

    response = await scene.client.get(path, headers={"Accept": "text/event-stream"})

    assert response.content_type == "text/event-stream"
    async with asyncio.timeout(60):
        text = await response.text()
    states = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    assert states[-1]["state"] == "finished"
    assert [each["done"] for each in states] == sorted(each["done"] for each in states)


async def test_rollouts_are_listed_newest_first(scene: Scene) -> None:
    await scene.prepare(3)
    first, second = await scene.start(), await scene.start()

    listed = await scene.ok("get", f"{scene.patches}/p/rollouts")

    assert [each["id"] for each in listed] == [second.rpartition("/")[2], first.rpartition("/")[2]]


@pytest.mark.parametrize(
    "order", [{"batch_size": 0}, {"batch_size": 501}, {"max_failures": -1}, {"more": 1}, {"filter": {}}, []]
)
async def test_an_order_that_makes_no_sense_is_refused(scene: Scene, order: Any) -> None:
    await scene.prepare(1)

    response = await scene.client.post(f"{scene.patches}/p/rollouts", json=order)

    assert response.status == 400
    assert (await response.json())["code"] == "invalid-request"


async def test_a_rollout_of_another_patch_is_not_found(scene: Scene) -> None:
    await scene.prepare(2)
    path = await scene.start()
    await scene.ok("post", scene.patches, {"definition": {"patch_id": "q"}})

    response = await scene.client.get(path.replace("/p/", "/q/"))

    assert response.status == 404


async def test_dry_runs_start_and_steer_nothing(scene: Scene) -> None:
    await scene.prepare(3)

    await scene.ok("post", f"{scene.patches}/p/rollouts?dryRun=true", {"type": scene.type})
    assert await scene.ok("get", f"{scene.patches}/p/rollouts") == []
    path = await scene.start(batch_size=1)
    would = await scene.client.post(f"{path}/pause?dryRun=true")

    assert would.status in (200, 409)
    assert (await scene.until(path, "finished"))["done"] == 2


async def test_a_dry_wish_is_answered_as_the_wish_would_be(scene: Scene) -> None:
    await scene.prepare(3, payload={"operations": [{"op": "remove", "path": "/none"}]})
    path = await scene.start(max_failures=0)
    halted = await scene.until(path, "halted")

    resumed = await scene.ok("post", f"{path}/resume?dryRun=true")
    called_off = await scene.ok("post", f"{path}/cancel?dryRun=true")
    really = await scene.ok("post", f"{path}/cancel")

    assert (halted["error"] is None, resumed["error"], resumed["finished_at"]) == (False, None, None)
    timeless = {"updated_at": "", "finished_at": "", "rate": 0}
    assert called_off | timeless == really | timeless
    assert called_off["finished_at"] is not None


async def test_a_repeated_wish_with_its_key_gets_the_first_answer(scene: Scene) -> None:
    await scene.prepare(3)
    rollout = await scene.start(filter=[{"field": "number", "operator": "==", "value": 9}])
    await scene.until(rollout, "finished")
    key = {"Idempotency-Key": str(uuid.uuid4())}
    other = f"{scene.patches}/p/rollouts"
    live = await scene.ok("post", other, {"type": scene.type, "batch_size": 1})
    async with scene.client.post(f"{other}/{live['id']}/cancel", headers=key) as first:
        answers = [await scene.client.post(f"{other}/{live['id']}/cancel", headers=key) for _ in range(2)]

    assert {each.status for each in answers} == {first.status}
    assert {each.headers.get("Idempotency-Replayed") for each in answers} == {"true"}
    reused = await scene.client.post(f"{rollout}/pause", headers=key)
    assert (reused.status, (await reused.json())["code"]) == (422, "idempotency-key-reused")


async def test_a_rollout_that_cannot_go_on_halts_and_others_go_on(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.prepare(3)
    patches = scene.client.server.app[DESK].patches  # type: ignore[attr-defined]
    patch = await patches.find(scene.ids[0], "p")
    now = format_timestamp(datetime.now(UTC))
    broken = Rollout(
        id=str(uuid.uuid4()),
        resource_id=patch.resource_id,
        patch_id=patch.patch_id,
        order=Order(filter=(Constraint("number", "in", 3),)),  # as none is taken from outside
        caller=ANONYMOUS,
        created_at=now,
        updated_at=now,
    )
    with caplog.at_level("CRITICAL", "service.workers.rollouts"):
        await scene.client.server.app[ROLLING].rollouts.insert(broken)  # type: ignore[attr-defined]
        sound = await scene.until(await scene.start(), "finished")
        halted = await scene.until(f"{scene.patches}/p/rollouts/{broken.id}", "halted")

    assert sound["done"] == 2
    assert "Resume to try again" in halted["error"]
    cancelled = await scene.ok("post", f"{scene.patches}/p/rollouts/{broken.id}/cancel")
    assert cancelled["state"] == "cancelled"
