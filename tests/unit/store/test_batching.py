import asyncio
from collections.abc import Callable, Sequence

import pytest

from service.store.batching import Batcher


class Flusher:
    """Notes its batches, and holds each until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.outcome: Callable[[int], int | Exception] = lambda item: item * 10

    async def __call__(self, items: list[int]) -> Sequence[int | Exception]:
        self.batches.append(items)
        await self.gate.wait()
        return [self.outcome(item) for item in items]


async def settle() -> None:
    """Let the loop turn until nothing is left to do but wait."""
    for _ in range(20):
        await asyncio.sleep(0)


def batcher(flusher: Flusher, *, max_items: int = 100, max_bytes: int = 100, lanes: int = 1) -> Batcher[int, int]:
    return Batcher[int, int](flusher, max_items=max_items, max_bytes=max_bytes, lanes=lanes)


async def test_what_arrives_while_a_batch_is_under_way_is_the_next_batch() -> None:
    flusher = Flusher()
    collected = batcher(flusher)
    first = asyncio.ensure_future(collected.submit(0))
    await settle()
    others = [asyncio.ensure_future(collected.submit(item)) for item in range(1, 6)]
    await settle()

    flusher.gate.set()

    assert await asyncio.gather(first, *others) == [0, 10, 20, 30, 40, 50]
    assert flusher.batches == [[0], [1, 2, 3, 4, 5]]


async def test_what_arrives_together_goes_together() -> None:
    flusher = Flusher()
    flusher.gate.set()
    collected = batcher(flusher)

    await asyncio.gather(*map(collected.submit, range(5)))

    assert flusher.batches == [[0, 1, 2, 3, 4]]


async def test_batch_is_bounded_in_number() -> None:
    flusher = Flusher()
    flusher.gate.set()
    collected = batcher(flusher, max_items=2)

    assert await asyncio.gather(*map(collected.submit, range(5))) == [0, 10, 20, 30, 40]
    assert flusher.batches == [[0, 1], [2, 3], [4]]


async def test_batch_is_bounded_in_bytes_and_a_larger_item_goes_alone() -> None:
    flusher = Flusher()
    flusher.gate.set()
    collected = batcher(flusher, max_bytes=10)

    await asyncio.gather(*(collected.submit(item, size) for item, size in enumerate([4, 6, 1, 99, 1])))

    assert flusher.batches == [[0, 1], [2], [3], [4]]


async def test_lanes_run_side_by_side() -> None:
    flusher = Flusher()
    collected = batcher(flusher, max_items=1, lanes=2)
    tasks = [asyncio.ensure_future(collected.submit(item)) for item in range(3)]
    await settle()

    assert flusher.batches == [[0], [1]]

    flusher.gate.set()
    assert await asyncio.gather(*tasks) == [0, 10, 20]


async def test_exception_for_one_item_is_told_to_its_caller_alone() -> None:
    flusher = Flusher()
    flusher.gate.set()
    flusher.outcome = lambda item: ValueError("odd") if item % 2 else item
    collected = batcher(flusher)

    outcomes = await asyncio.gather(*map(collected.submit, range(3)), return_exceptions=True)

    assert [outcomes[0], outcomes[2]] == [0, 2]
    assert isinstance(outcomes[1], ValueError)


async def test_batch_that_fails_as_a_whole_is_told_to_all_and_the_next_goes_on() -> None:
    flusher = Flusher()
    flusher.gate.set()
    collected = batcher(flusher)

    def fail(_: int) -> int:
        raise ConnectionError

    flusher.outcome = fail
    outcomes = await asyncio.gather(*map(collected.submit, range(3)), return_exceptions=True)
    flusher.outcome = lambda item: item

    assert [type(each) for each in outcomes] == [ConnectionError] * 3
    assert await collected.submit(7) == 7


async def test_caller_that_goes_away_leaves_the_batch_as_it_is() -> None:
    flusher = Flusher()
    collected = batcher(flusher)
    tasks = [asyncio.ensure_future(collected.submit(item)) for item in range(3)]
    await settle()

    tasks[1].cancel()
    flusher.gate.set()

    assert [await tasks[0], await tasks[2]] == [0, 20]
    with pytest.raises(asyncio.CancelledError):
        await tasks[1]
