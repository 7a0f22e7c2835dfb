"""Work under way side by side: so much of it in all, and so much for each of those whom it is for."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any


class UnderWay:
    """Tasks, each with the name of whom it is for: one who hangs does not hold up the others."""

    def __init__(self, at_once: int, to_each: int, on_end: Callable[[asyncio.Task[None]], object]) -> None:
        self._at_once = at_once
        self._to_each = to_each
        self._on_end = on_end
        self.tasks: dict[asyncio.Task[None], str] = {}

    async def wait_for_place(self) -> None:
        """Wait until one more may be begun."""
        if len(self.tasks) >= self._at_once:
            await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)

    def full(self) -> list[str]:
        """Name those for whom no more may be begun."""
        return [whom for whom, count in Counter(self.tasks.values()).items() if count >= self._to_each]

    def begin(self, whom: str, work: Coroutine[Any, Any, None]) -> None:
        """Begin the work; its end is told to `on_end`."""
        task = asyncio.create_task(work)
        self.tasks[task] = whom
        task.add_done_callback(self._note_end)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        del self.tasks[task]
        self._on_end(task)
