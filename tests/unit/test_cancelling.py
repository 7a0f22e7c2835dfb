"""Whoever is cancelled, wherever that is, gives back what it held, and takes nothing from others."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from functools import partial
from typing import Literal

import pytest

from service.core.engine import choose
from service.core.options import DiffOptions
from service.errors import OverloadedError
from service.store.batching import Batcher
from service.store.queueing import Queues
from service.usecases.containing import FamilyLocks
from service.workers.calm import Calm
from service.workers.compute import NATIVE_INLINE_BYTES, Compute
from service.workers.feeding import Watch
from service.workers.gate import Gate
from service.workers.lane import Lane
from tests.cancelling import Moment, cancel_at_every_suspension

LARGE = b"[" + b",".join(b"%d" % number for number in range(NATIVE_INLINE_BYTES // 2)) + b"]"


@pytest.fixture(params=["waiting", "served"], name="moment")
def choose_moment(request: pytest.FixtureRequest) -> Moment:
    moment: Moment = request.param
    return moment


async def turns(number: int = 20) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_a_gate_has_all_its_places_and_bytes_again(moment: Moment) -> None:
    gate = Gate(1, max_waiting=1, max_bytes=10, patience_s=60)

    async def hold(size: int) -> None:
        async with gate.enter(size):
            await turns(3)

    async def behind_another() -> None:
        holder = asyncio.create_task(hold(5))
        try:
            await asyncio.sleep(0)
            await hold(5)
        finally:
            await asyncio.wait({holder})

    async def is_as_before() -> None:
        async with asyncio.timeout(30):
            await asyncio.gather(hold(5), hold(5))  # all places, all bytes
        with pytest.raises(OverloadedError):
            await asyncio.gather(hold(5), hold(6))
        await asyncio.sleep(0.001)
        await turns()

    assert await cancel_at_every_suspension(behind_another, moment, is_as_before) > 4


async def test_a_batch_goes_on_without_one_of_its_items(moment: Moment) -> None:
    async def flush(items: list[int]) -> list[int]:
        await turns(2)
        return [each * 10 for each in items]

    batcher = Batcher[int, int](flush, max_items=2, max_bytes=100, lanes=1)
    beside: list[asyncio.Future[int]] = []

    async def submit() -> None:
        beside.extend(batcher.submit(number) for number in range(3))
        await batcher.submit(3)
        await batcher.submit(4)

    async def is_as_before() -> None:
        async with asyncio.timeout(30):
            assert await asyncio.gather(*beside) == [0, 10, 20]
            assert await batcher.submit(5) == 50
        beside.clear()

    assert await cancel_at_every_suspension(submit, moment, is_as_before) > 1


async def test_a_queue_goes_on_when_its_callers_leave(moment: Moment) -> None:
    async def work(_: str, queue: deque[asyncio.Future[str]]) -> None:
        while queue:
            job = queue.popleft()
            await turns(2)
            if not job.done():
                job.set_result("done")

    queues = Queues[asyncio.Future[str]](work)

    async def put() -> str:
        job = asyncio.get_running_loop().create_future()
        queues.put("key", job)
        return str(await job)

    async def is_as_before() -> None:
        async with asyncio.timeout(30):
            assert {*await asyncio.gather(put(), put())} == {"done"}

    assert await cancel_at_every_suspension(put, moment, is_as_before) > 0


async def test_a_family_is_locked_by_nobody_who_left(moment: Moment) -> None:
    locks = FamilyLocks()

    async def enter() -> None:
        async with locks.of("parent"):
            await turns(2)

    async def behind_another() -> None:
        other = asyncio.create_task(enter())
        try:
            await asyncio.sleep(0)
            await enter()
        finally:
            await asyncio.wait({other})

    async def is_as_before() -> None:
        async with asyncio.timeout(30):
            await asyncio.gather(enter(), enter())
        assert not locks.of("parent").locked()

    assert await cancel_at_every_suspension(behind_another, moment, is_as_before) > 3


class Silent:
    async def follow(self) -> AsyncGenerator[bool, None]:
        await asyncio.Event().wait()
        yield False


async def test_followers_of_the_feed_leave_the_others_awake(moment: Moment) -> None:
    watch = Watch(Silent())

    async def follow() -> None:
        signal = asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(watch._wake()))
        try:
            await watch.changed(watch.count, 60)
        finally:
            signal.cancel()

    async def is_as_before() -> None:
        async with asyncio.timeout(30):
            await asyncio.gather(follow(), follow())

    assert await cancel_at_every_suspension(follow, moment, is_as_before) > 0


async def test_a_rest_can_be_broken_off(moment: Moment) -> None:
    calm = Calm(0.001, 0.001)

    async def is_as_before() -> None:
        async with asyncio.timeout(30):
            await calm.rest()

    assert await cancel_at_every_suspension(calm.rest, moment, is_as_before) > 0


async def test_a_lane_works_again(moment: Moment) -> None:
    lane = Lane("diff_timeout_s")

    async def is_as_before() -> None:
        assert await lane.run(60, len, b"abc") == 3

    try:
        assert await cancel_at_every_suspension(partial(lane.run, 60, len, b"ab"), moment, is_as_before) > 0
    finally:
        await lane.close()


@pytest.mark.parametrize("name", ["native", "python"])
async def test_compute_has_all_its_slots_again(moment: Moment, name: Literal["native", "python"]) -> None:
    compute = Compute(choose(name), timeout_s=60, slots=1, max_waiting=1)
    compare = partial(compute.compare, LARGE, LARGE[:-2] + b"0]", DiffOptions())

    async def is_as_before() -> None:
        async with asyncio.timeout(120):
            await asyncio.gather(compare(), compare())

    try:
        assert await cancel_at_every_suspension(compare, moment, is_as_before) > 0
    finally:
        await compute.close()
