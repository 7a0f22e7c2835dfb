import asyncio
from collections import deque

import pytest

from service.errors import OverloadedError
from service.store.queueing import Queues


class Worker:
    """Takes jobs off one at a time, each when it is let go."""

    def __init__(self) -> None:
        self.done: list[tuple[str, int]] = []
        self.under_way = 0
        self.gate = asyncio.Event()

    async def __call__(self, key: str, queue: deque[int]) -> None:
        self.under_way += 1
        while queue:
            await self.gate.wait()
            self.done.append((key, queue.popleft()))
        self.under_way -= 1


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_jobs_of_a_key_are_done_in_their_order_by_one_worker() -> None:
    worker = Worker()
    queues = Queues[int](worker)
    for number in range(5):
        queues.put("a", number)
        queues.put("b", number)
    await settle()
    assert worker.under_way == 2

    worker.gate.set()
    await settle()

    assert [number for key, number in worker.done if key == "a"] == list(range(5))
    assert worker.under_way == 0


async def test_key_whose_worker_has_ended_gets_another() -> None:
    worker = Worker()
    worker.gate.set()
    queues = Queues[int](worker)

    for number in range(3):
        queues.put("a", number)
        await settle()

    assert worker.done == [("a", 0), ("a", 1), ("a", 2)]


async def test_queue_is_bounded_for_each_key() -> None:
    worker = Worker()
    queues = Queues[int](worker)
    for number in range(2000):
        queues.put("a", number)

    with pytest.raises(OverloadedError, match="2000 writes wait"):
        queues.put("a", 2000)

    queues.put("b", 0)
    worker.gate.set()
    await settle()
