"""Work that arrives while a batch is under way forms the next batch: no timers, bounded in number and in bytes."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Waiting(NamedTuple, Generic[Item, Result]):
    item: Item
    size: int
    future: asyncio.Future[Result]


class Batcher(Generic[Item, Result]):
    """Collects items and hands them to `flush` in batches, at most `lanes` of them at a time.

    `flush` returns a result or an exception for each item, in order; if it raises, every item of the batch gets that.
    An item of more than `max_bytes` goes alone. A caller that is cancelled leaves the batch as it is.
    """

    def __init__(
        self,
        flush: Callable[[list[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        max_items: int,
        max_bytes: int,
        lanes: int,
        on_batch: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._flush = flush
        self._on_batch = on_batch
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._free_lanes = lanes
        self._waiting: deque[_Waiting[Item, Result]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_woken = False

    def submit(self, item: Item, size: int = 0) -> asyncio.Future[Result]:
        """Have the item done with the next batch; the future gets its result."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append(_Waiting(item, size, future))
        if not self._is_woken and self._free_lanes:
            self._is_woken = True
            loop.call_soon(self._wake)
        return future

    def _wake(self, seen: int = 0) -> None:
        """Start batches, as soon as a turn of the loop has brought nothing new: what is on its way goes along."""
        if seen < len(self._waiting) < self._max_items:
            asyncio.get_running_loop().call_soon(self._wake, len(self._waiting))
            return
        self._is_woken = False
        while self._free_lanes and self._waiting:
            self._free_lanes -= 1
            task = asyncio.get_running_loop().create_task(self._run(self._take()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _take(self) -> list[_Waiting[Item, Result]]:
        batch = [self._waiting.popleft()]
        size = batch[0].size
        while self._waiting and len(batch) < self._max_items and size + self._waiting[0].size <= self._max_bytes:
            size += self._waiting[0].size
            batch.append(self._waiting.popleft())
        return batch

    async def _run(self, batch: list[_Waiting[Item, Result]]) -> None:
        results: Sequence[Result | BaseException]
        self._on_batch(len(batch))
        try:
            results = await self._flush([each.item for each in batch])
        except BaseException as error:  # noqa: BLE001 - it is handed to those who wait
            results = [error] * len(batch)
        finally:
            self._free_lanes += 1
        for each, result in zip(batch, results, strict=True):
            if each.future.done():
                continue  # its caller was cancelled
            if isinstance(result, BaseException):
                each.future.set_exception(result)
            else:
                each.future.set_result(result)
        self._wake()
