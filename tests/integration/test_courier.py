"""Deliveries, on a fake clock, to a provider that really listens."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook

from service.core.timestamp import format_timestamp
from service.delivery import Delivery, Endpoint, Notice
from service.errors import InvalidTransitionError
from service.patches import Application, Step
from service.providers.webhook import WebhookSender
from service.readers.client import GuardedClient
from service.readers.guard import Guard
from service.store.applications import MongoApplications
from service.store.companions import write_together
from service.store.mongo import Database
from service.store.outbox import MongoOutbox
from service.store.providers import MongoEndpoints
from service.tasks import end, running
from service.usecases.providing import generate_secret
from service.workers.calm import Calm
from service.workers.courier import Courier
from tests.cancelling import Moment, cancel_at_every_suspension
from tests.delivering import deliver_due

SECRET = generate_secret()


class FakeClock:
    """Stands still until it is set forward."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def now(self) -> datetime:
        return self.moment

    def forward(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Hook:
    """A provider that answers as it is told, and remembers what it got."""

    def __init__(self) -> None:
        self.answers: list[web.Response] = []
        self.got: list[str] = []
        self.hanging = 0
        self.may_go = asyncio.Event()

    async def hang(self, request: web.Request) -> web.Response:  # noqa: ARG002
        self.hanging += 1
        await self.may_go.wait()
        return web.Response(status=204)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        moment = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)  # of the fake clock
        signature = Webhook(SECRET).sign(request.headers["webhook-id"], moment, body.decode())
        assert request.headers["webhook-signature"] == signature
        self.got.append(request.headers["webhook-id"])
        return self.answers.pop(0) if self.answers else web.Response(status=204)


class Scene:
    """A courier with its stores, one provider and its hook."""

    def __init__(self, database: Database, server: TestServer, hook: Hook) -> None:
        self.database = database
        self.hook = hook
        self.clock = FakeClock()
        self.outbox = MongoOutbox(database)
        self.endpoints = MongoEndpoints(database)
        self.applications = MongoApplications(database)
        self.url = str(server.make_url("/hook"))
        guard = Guard(("127.0.0.0/8",), (server.port or 0,))
        self.courier = self.another_courier(guard)

    def another_courier(self, guard: Guard) -> Courier:
        sender = WebhookSender(GuardedClient(guard))
        return Courier(self.outbox, self.endpoints, self.applications, sender, self.clock, Calm())

    async def provide(self, **changes: Any) -> None:
        whole = {"name": "erp", "url": self.url, "secrets": (SECRET,), "updated_at": self.now, **changes}
        await self.endpoints.put(Endpoint(**whole), await self.endpoints.find(whole["name"]))

    @property
    def now(self) -> str:
        return format_timestamp(self.clock.now())

    async def dispatch(
        self, application_id: str, attempt: int = 1, status: str = "dispatched", provider: str = "erp"
    ) -> Delivery:
        before = await self.applications.find(application_id, "r")
        after = Application(
            id=application_id,
            resource_id="r",
            patch_id="p",
            target_id="t",
            target_type="clinic",
            attempt=attempt,
            status=status,  # type: ignore[arg-type]
            provider=provider,
            created_by="ann",
            started_at=self.now,
            moves=(before.moves if before else 0) + 1,
        )
        delivery = Delivery(
            notice=Notice(
                id=f"{application_id}-{attempt}",
                type="patch.dispatched",
                source="/resources/r/patches/p",
                subject=application_id,
                time=self.now,
                data=msgspec.Raw(b"{}"),
            ),
            provider=provider,
            application_id=application_id,
            resource_id="r",
            attempt=attempt,
            due_at=self.now,
            created_at=self.now,
        )
        others = (self.outbox.insertion(delivery),)
        await self.applications.commit(Step(before=before, after=after, moves=()), others)
        return delivery

    async def state(self, delivery: Delivery) -> tuple[str, int]:
        found = await self.outbox.find(delivery.notice.id)
        assert found is not None
        return found.state, found.tries


@pytest.fixture(name="scene")
async def make_scene(
    database: Database, aiohttp_server: Callable[[web.Application], Awaitable[TestServer]]
) -> AsyncIterator[Scene]:
    hook = Hook()
    app = web.Application()
    app.router.add_post("/hook", hook.take)
    app.router.add_post("/hook/hang", hook.hang)
    for name in ("outbox", "providers", "applications"):
        await database[name].delete_many({})
    yield Scene(database, await aiohttp_server(app), hook)
    for name in ("outbox", "providers", "applications"):
        await database[name].delete_many({})


async def test_a_delivery_is_made_once(scene: Scene) -> None:
    await scene.provide()
    delivery = await scene.dispatch("one")

    await deliver_due(scene.courier)
    await deliver_due(scene.courier)

    assert scene.hook.got == ["one-1"]
    assert await scene.state(delivery) == ("delivered", 1)


async def test_binary_mode_is_signed_too(scene: Scene) -> None:
    await scene.provide(mode="binary")
    await scene.dispatch("one")

    await deliver_due(scene.courier)

    assert scene.hook.got == ["one-1"]


async def test_failures_are_tried_again_by_the_schedule_then_left_dead(scene: Scene) -> None:
    await scene.provide()
    scene.hook.answers = [web.Response(status=status) for status in (500, 301, 404, 429, 503, 599, 400, 502)]
    delivery = await scene.dispatch("one")
    assert await deliver_due(scene.courier) == 1

    for tries, wait in enumerate((5, 300, 1800, 7200, 18000, 36000, 36000), start=1):
        assert await scene.state(delivery) == ("waiting", tries)
        scene.clock.forward(wait - 1)
        assert await deliver_due(scene.courier) == 0, "not before its time"
        scene.clock.forward(wait * 0.2 + 1)
        assert await deliver_due(scene.courier) == 1

    assert await scene.state(delivery) == ("dead", 8)
    scene.clock.forward(10**6)
    assert await deliver_due(scene.courier) == 0
    assert scene.hook.got == ["one-1"] * 8


async def test_retry_after_is_honoured(scene: Scene) -> None:
    await scene.provide()
    scene.hook.answers = [web.Response(status=503, headers={"Retry-After": "3600"})]
    delivery = await scene.dispatch("one")
    await deliver_due(scene.courier)

    scene.clock.forward(3500)
    assert await deliver_due(scene.courier) == 0
    scene.clock.forward(200)
    assert await deliver_due(scene.courier) == 1

    assert await scene.state(delivery) == ("delivered", 2)


async def test_gone_disables_the_provider_and_a_replay_delivers(scene: Scene) -> None:
    await scene.provide()
    scene.hook.answers = [web.Response(status=410)]
    first, second = await scene.dispatch("one"), None
    await deliver_due(scene.courier)
    second = await scene.dispatch("two")
    await deliver_due(scene.courier)

    assert await scene.state(first) == ("dead", 1)
    assert await scene.state(second) == ("dead", 0)
    found = await scene.endpoints.find("erp")
    assert found is not None
    assert found.disabled_at is not None

    await scene.provide()  # writing it anew enables it
    assert await scene.outbox.replay_all("erp", scene.now) == 2
    await deliver_due(scene.courier)

    assert await scene.state(first) == ("delivered", 1)
    assert await scene.state(second) == ("delivered", 1)


async def test_what_is_no_longer_awaited_is_not_sent(scene: Scene) -> None:
    await scene.provide()
    delivery = await scene.dispatch("one", status="failed")

    await deliver_due(scene.courier)

    assert scene.hook.got == []
    assert (await scene.state(delivery))[0] == "superseded"


async def test_a_later_attempt_ends_what_is_left_of_the_earlier_one(scene: Scene) -> None:
    await scene.provide()
    scene.hook.answers = [web.Response(status=500)]
    earlier = await scene.dispatch("one", attempt=1)
    await deliver_due(scene.courier)
    scene.clock.forward(1)
    await scene.dispatch("one", attempt=2)  # the first one is not due again yet

    await deliver_due(scene.courier)

    assert scene.hook.got == ["one-1", "one-2"]
    assert await scene.state(earlier) == ("superseded", 1)


async def test_a_later_attempt_waits_while_the_earlier_one_is_being_sent(scene: Scene) -> None:
    await scene.provide()
    earlier = await scene.dispatch("one", attempt=1)
    until = format_timestamp(scene.clock.now() + timedelta(seconds=30))
    assert await scene.outbox.claim(scene.now, until) is not None  # somebody else is at it
    scene.clock.forward(1)
    await scene.dispatch("one", attempt=2)

    await deliver_due(scene.courier)
    assert scene.hook.got == []
    for _ in range(3):
        scene.clock.forward(30)
        await deliver_due(scene.courier)

    assert scene.hook.got == ["one-2"]
    assert await scene.state(earlier) == ("superseded", 0)


async def test_two_couriers_never_send_the_same_thing_at_once(scene: Scene) -> None:
    await scene.provide()
    other = scene.another_courier(Guard(("127.0.0.0/8",), tuple(range(1, 65536))))
    for number in range(40):
        await scene.dispatch(f"app-{number}")

    counts = await asyncio.gather(deliver_due(scene.courier), deliver_due(other))

    assert sum(counts) == 40
    assert sorted(scene.hook.got) == sorted({*scene.hook.got})
    assert len(scene.hook.got) == 40


async def test_a_provider_that_hangs_does_not_hold_up_the_others(scene: Scene) -> None:
    await scene.provide()
    await scene.provide(name="slow", url=f"{scene.url}/hang", timeout_s=60.0)
    for number in range(20):
        await scene.dispatch(f"slow-{number}", provider="slow")

    async with asyncio.timeout(50), running(scene.courier.run()):
        while not scene.hook.hanging:
            await asyncio.sleep(0.02)
        await scene.dispatch("one")
        while scene.hook.got != ["one-1"]:
            await asyncio.sleep(0.02)
        assert not scene.hook.may_go.is_set()
        scene.hook.may_go.set()
        while await scene.outbox.is_awaited("slow"):
            await asyncio.sleep(0.02)

    assert scene.hook.hanging == 20


async def test_what_a_courier_is_ended_amid_is_free_at_once(scene: Scene) -> None:
    await scene.provide(url=f"{scene.url}/hang")
    delivery = await scene.dispatch("one")
    running = asyncio.create_task(scene.courier.run())
    async with asyncio.timeout(60):
        while not scene.hook.hanging:
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait({running})

    claimed = await scene.outbox.claim(scene.now, "9999")

    scene.hook.may_go.set()
    assert claimed is not None
    assert (claimed.notice.id, claimed.tries) == (delivery.notice.id, 0)


@pytest.mark.parametrize("moment", ["waiting", "served"])
async def test_what_was_claimed_as_a_courier_was_ended_is_free_at_once(scene: Scene, moment: Moment) -> None:
    await scene.provide(url=f"{scene.url}/hang")
    delivery = await scene.dispatch("one")

    async def stop_in_time() -> None:
        try:
            await scene.courier.begin_next()
        finally:
            await end(*scene.courier.under_way.tasks)

    async def check() -> None:
        while scene.courier.under_way.tasks:  # it was the end that was cut short
            await asyncio.sleep(0.01)
        claimed = await scene.outbox.claim(scene.now, "9999")
        assert claimed is not None
        assert claimed.notice.id == delivery.notice.id
        await scene.outbox.settle(claimed, "9999")

    assert await cancel_at_every_suspension(stop_in_time, moment, check) > 0
    scene.hook.may_go.set()


async def test_a_lease_of_a_courier_that_died_runs_out(scene: Scene) -> None:
    await scene.provide()
    delivery = await scene.dispatch("one")
    until = format_timestamp(scene.clock.now() + timedelta(seconds=15))
    assert await scene.outbox.claim(scene.now, until) is not None  # and then it died

    assert await deliver_due(scene.courier) == 0
    scene.clock.forward(20)
    assert await deliver_due(scene.courier) == 1

    assert await scene.state(delivery) == ("delivered", 1)


async def test_a_private_address_is_not_called(scene: Scene) -> None:
    await scene.provide(url="http://127.0.0.1:1/hook")
    delivery = await scene.dispatch("one")

    await deliver_due(scene.courier)

    found = await scene.outbox.find(delivery.notice.id)
    assert found is not None
    assert (found.state, found.tries, found.status) == ("waiting", 1, None)
    assert found.error


async def test_all_or_nothing(scene: Scene) -> None:
    """A delivery that exists already takes the whole transaction with it."""
    delivery = await scene.dispatch("one")

    with pytest.raises(InvalidTransitionError):
        await write_together(scene.database, (scene.outbox.insertion(delivery),))
