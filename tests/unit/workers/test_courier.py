"""What becomes of deliveries under way when another one cannot be gone on with."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from service.delivery import Delivery, Endpoint, Notice, Sent
from service.errors import StoreUnavailableError
from service.workers.calm import Calm
from service.workers.courier import Courier
from tests.delivering import deliver_due

NOW = "2026-01-01T00:00:00.000000Z"


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


def delivery(number: int) -> Delivery:
    notice = Notice(id=str(number), type="t", source="s", subject="s", time=NOW, data=msgspec.Raw(b"{}"))
    return Delivery(
        notice=notice, provider="erp", application_id="a", resource_id="r", attempt=1, due_at=NOW, created_at=NOW
    )


class Outbox:
    """Has two deliveries, and then is away."""

    def __init__(self) -> None:
        self.waiting = [delivery(0), delivery(1)]
        self.settled: list[str] = []

    async def claim(self, *_: Any) -> Delivery | None:
        if not self.waiting:
            raise StoreUnavailableError("away")
        return self.waiting.pop(0)

    async def settle(self, settled: Delivery, _: str) -> None:
        self.settled.append(settled.notice.id)


class World:
    """Waits for all deliveries; the provider takes its time over the second event."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()

    async def is_dispatched(self, *_: Any) -> bool:
        return True

    async def find(self, name: str) -> Endpoint:
        return Endpoint(name=name, url="http://erp/", secrets=(), updated_at=NOW)

    async def send(self, _: Endpoint, notice: Notice, __: datetime) -> Sent:
        if notice.id == "1":
            await self.may_answer.wait()
        return Sent(status=204)


async def test_an_event_under_way_is_waited_for_and_settled() -> None:
    outbox, world = Outbox(), World()
    delivering = asyncio.create_task(
        deliver_due(Courier(outbox, world, world, world, Clock(), Calm()))  # type: ignore[arg-type]
    )
    for _ in range(50):
        await asyncio.sleep(0)
    was_over = delivering.done()
    world.may_answer.set()

    with pytest.raises(StoreUnavailableError):
        await delivering
    assert not was_over
    assert outbox.settled == ["0", "1"]


async def test_one_trouble_that_many_deliveries_meet_is_told_once() -> None:
    """After each that is told there is a pause: one for every delivery would hold up all others for minutes."""

    class Away(World):
        async def find(self, name: str) -> Endpoint:
            await self.may_answer.wait()
            raise StoreUnavailableError(name)

    outbox, world = Outbox(), Away()
    outbox.waiting = [delivery(number) for number in range(6)]
    courier = Courier(outbox, world, world, world, Clock(), Calm())  # type: ignore[arg-type]
    for _ in range(5):
        assert await courier.begin_next()
    world.may_answer.set()
    for _ in range(20):
        await asyncio.sleep(0)

    with pytest.raises(StoreUnavailableError):
        await courier.begin_next()
    assert await courier.begin_next()
