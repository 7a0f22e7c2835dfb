"""Work that one instance does at a time, over leases that are real."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.test_utils import TestClient

from service.app import create_app
from service.settings import Settings
from service.store.leases import Leases
from service.store.mongo import Database
from service.workers.hold import Hold


class Counted:
    """Leases that count how often they are asked for."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self.count = 0

    async def acquire(self, name: str, seconds: float) -> bool:
        self.count += 1
        return await self._leases.acquire(name, seconds)

    async def release(self, name: str) -> None:
        await self._leases.release(name)


async def test_one_instance_has_the_hold_until_it_lets_go(database: Database) -> None:
    first, second = (Hold(Leases(database), "digging", 600) for _ in range(2))
    assert await first.keep()
    assert not await second.keep()
    assert not await second.keep()
    assert await first.keep()
    await second.release()
    assert not await second.keep()
    await first.release()
    assert await second.keep()


async def test_a_long_lease_is_asked_for_once_and_a_short_one_again(database: Database) -> None:
    leases = Counted(Leases(database))
    long, short = Hold(leases, "long", 600), Hold(leases, "short", 0.2)
    assert all([await long.keep() for _ in range(20)])
    assert leases.count == 1
    assert await short.keep()
    await asyncio.sleep(0.1)
    assert await short.keep()
    assert leases.count == 3


async def test_what_an_instance_held_is_free_as_soon_as_it_stops(
    aiohttp_client: Callable[..., Awaitable[TestClient[web.Request, web.Application]]],
    settings: Settings,
    database: Database,
) -> None:
    leases, names = Leases(database), ("deadlines", "feeder")
    instance = await aiohttp_client(create_app(settings))
    async with asyncio.timeout(60):
        while not all([await leases.is_held(each) for each in names]):
            await asyncio.sleep(0.05)

    await instance.close()

    assert [each for each in names if await leases.is_held(each)] == []
