"""A coroutine cancelled at each of its suspensions in turn: whatever it holds there must be given back."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from itertools import count
from typing import Any, Literal

Moment = Literal["waiting", "served"]
"""Whether the cancellation comes while the work waits, or together with what it waited for, which is then lost."""


async def cancel_at_every_suspension(
    work: Callable[[], Coroutine[Any, Any, object]], moment: Moment, check: Callable[[], Awaitable[None]]
) -> int:
    """Run the work again and again, cancelled one suspension later each time, until it ends before that.

    Checks after every run, and that it was cancelled whenever it was told to be. Returns how often it was.
    """
    for number in count():
        cut = Cut(work(), number, moment)
        task = asyncio.create_task(cut.run())
        await asyncio.wait({task})
        if not cut.is_cut:
            task.result()
            return number
        assert task.cancelled(), f"cancelled at suspension {number}, it came to {task}"
        await check()
    raise AssertionError


class Cut:
    """Carries a coroutine on, and cancels the task that it runs in at one of its suspensions."""

    def __init__(self, work: Coroutine[Any, Any, object], number: int, moment: Moment) -> None:
        self._work = work
        self._left = number
        self._moment = moment
        self.is_cut = False

    async def run(self) -> object:
        return await self

    def __await__(self) -> Generator[Any, Any, object]:
        error: BaseException | None = None
        while True:
            try:
                awaited = self._work.throw(error) if error else self._work.send(None)
            except StopIteration as end:
                return end.value
            self._come_to(awaited)
            error = None
            try:
                yield awaited
            except BaseException as thrown:  # noqa: BLE001 - it belongs into the work
                error = thrown

    def _come_to(self, awaited: asyncio.Future[Any] | None) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._left -= 1
        if self._left != -1:
            return
        self.is_cut = True
        if awaited is None or self._moment == "waiting":
            task.cancel()
        else:
            awaited.add_done_callback(lambda _: task.cancel())  # before the task hears of it
