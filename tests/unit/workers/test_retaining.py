"""The loop that has old versions forgotten: by one instance, in the measure of the settings."""

import asyncio
from datetime import UTC, datetime

import pytest

from service.workers import retaining
from service.workers.retaining import Retainer


class StandingClock:
    def now(self) -> datetime:
        return datetime(2026, 1, 31, tzinfo=UTC)


class CountingStore:
    """Notes what is asked for, and sets `enough`."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str]] = []
        self.enough = asyncio.Event()

    async def trim(self, versions: int, since: str) -> int:
        self.asked.append((versions, since))
        self.enough.set()
        return 1


class Turnstile:
    """A lease that is free, or is not."""

    def __init__(self, *, is_free: bool = True) -> None:
        self.is_free = is_free

    async def acquire(self, name: str, seconds: float) -> bool:
        del name, seconds
        return self.is_free

    async def release(self, name: str) -> None:
        del name


async def run_until(event: asyncio.Event, retainer: Retainer) -> None:
    task = asyncio.create_task(retainer.run())
    await asyncio.wait_for(event.wait(), 20)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    ("versions", "days", "asked"),
    [
        (5, 0.0, (5, "2026-01-30T23:50:00.000000Z")),
        (0, 30.0, (0, "2026-01-01T00:00:00.000000Z")),
        (5, 30.0, (5, "2026-01-01T00:00:00.000000Z")),
        (5, 0.001, (5, "2026-01-30T23:50:00.000000Z")),
    ],
)
async def test_the_settings_are_the_measure(versions: int, days: float, asked: tuple[int, str]) -> None:
    store = CountingStore()

    await run_until(store.enough, Retainer(store, Turnstile(), StandingClock(), versions=versions, days=days))

    assert store.asked == [asked]


async def test_with_nothing_to_forget_it_ends() -> None:
    store = CountingStore()

    await asyncio.wait_for(Retainer(store, Turnstile(), StandingClock(), versions=0, days=0).run(), 20)

    assert store.asked == []


async def test_only_who_has_the_lease_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retaining, "_EVERY_S", 0.0)
    store, lease = CountingStore(), Turnstile(is_free=False)
    task = asyncio.create_task(Retainer(store, lease, StandingClock(), versions=1, days=0).run())
    for _ in range(5):
        await asyncio.sleep(0)
    before = list(store.asked)

    lease.is_free = True
    await asyncio.wait_for(store.enough.wait(), 20)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert before == []
