"""The worker of callbacks on a real store, and servers of callers that hang, fail or refuse."""

import asyncio
import uuid
from typing import Any

import msgspec
import pytest

from service.app import SystemClock
from service.core.assignment import CompareAssignment
from service.core.work import encode_work
from service.errors import SourceUnreachableError
from service.model import Job
from service.store.jobs import MongoJobs
from service.store.mongo import Database
from service.tasks import running
from service.workers.callbacks import CallbackWorker
from service.workers.calm import Calm
from tests.cancelling import Moment, cancel_at_every_suspension

_JOB = Job(
    id="",
    status="QUEUED",
    work=encode_work(CompareAssignment()),
    fingerprint="",
    inputs=(),
    created_by="anonymous",
    created_at="2026-01-01T00:00:00.000000Z",
)


class Servers:
    """Answers callbacks by the name of the server: `hangs` never does, `fails` does not foresee, others refuse."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.freed = asyncio.Event()

    async def check(self, url: str) -> None:
        """Let every callback pass."""

    async def call(self, url: str) -> int:
        self.called.append(url)
        if "hangs" in url:
            await self.freed.wait()
        if "fails" in url:
            raise ZeroDivisionError
        if "refuses" in url:
            raise SourceUnreachableError("nobody there")
        return 200

    async def until_called(self, *urls: str) -> None:
        async with asyncio.timeout(60):
            while not {*urls} <= {*self.called}:
                await asyncio.sleep(0.02)


@pytest.fixture(name="store")
def make_store(own: Database) -> MongoJobs:
    return MongoJobs(own, SystemClock())


async def finish(store: MongoJobs, callback: str) -> None:
    """Have a job done that owes a callback."""
    assert await store.insert(msgspec.structs.replace(_JOB, id=str(uuid.uuid4()), callback=callback), {})
    held = await store.claim(60)
    assert held is not None
    assert await store.succeed(held, b"1", bounded=False)


def worker(store: MongoJobs, servers: Servers) -> CallbackWorker:
    return CallbackWorker(store, servers, Calm())


async def test_a_server_that_hangs_holds_up_no_callback_of_others(store: MongoJobs) -> None:
    servers = Servers()
    for number in range(10):
        await finish(store, f"http://hangs/{number}")
    await finish(store, "http://answers/")

    async with running(worker(store, servers).run()):
        await servers.until_called("http://answers/")
        hanging = [url for url in servers.called if "hangs" in url]
        servers.freed.set()
        await servers.until_called(*(f"http://hangs/{number}" for number in range(10)))

    assert len(hanging) == 4
    assert len(servers.called) == 11


async def test_a_callback_that_fails_is_not_tried_again_and_spoils_nothing(
    store: MongoJobs, caplog: pytest.LogCaptureFixture
) -> None:
    servers, urls = Servers(), ["http://refuses/secret", "http://fails/secret", "http://answers/secret"]
    for url in urls:
        await finish(store, url)

    async with running(worker(store, servers).run()):
        await servers.until_called(*urls)

    assert sorted(servers.called) == sorted(urls)
    assert await store.take_callback([]) is None
    assert "source-unreachable" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "secret" not in caplog.text


async def test_what_an_instance_owed_when_it_died_the_next_one_makes_up_for(store: MongoJobs, own: Database) -> None:
    await finish(store, "http://answers/")
    servers = Servers()

    async with running(worker(MongoJobs(own, SystemClock()), servers).run()):
        await servers.until_called("http://answers/")

    assert servers.called == ["http://answers/"]


@pytest.mark.parametrize("moment", ["waiting", "served"])
async def test_a_callback_is_neither_lost_nor_made_twice_wherever_its_worker_is_ended(
    store: MongoJobs, moment: Moment
) -> None:
    servers = Servers()
    wanted = ["http://answers/0"]
    await finish(store, wanted[0])

    async def stop_in_time() -> None:
        instance = worker(store, servers)
        try:
            await instance._round()
        finally:
            async with asyncio.timeout(60):
                while instance._under_way.tasks:
                    await asyncio.sleep(0.01)

    async def check() -> None:
        if (owed := await store.take_callback([])) is not None:
            await servers.call(owed.url)
        assert servers.called == wanted
        wanted.append(f"http://answers/{len(wanted)}")
        await finish(store, wanted[-1])

    assert await cancel_at_every_suspension(stop_in_time, moment, check) > 0


async def test_what_is_under_way_at_a_stop_may_come_to_its_end_and_what_hangs_does_not_hold_it_up(
    store: MongoJobs,
) -> None:
    servers: Any = Servers()
    await finish(store, "http://hangs/")

    async with asyncio.timeout(60):
        async with running(worker(store, servers).run()):
            await servers.until_called("http://hangs/")

    assert not servers.freed.is_set()
