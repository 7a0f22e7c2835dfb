"""Writes to one resource wait in one queue, in the order they came; a worker lives as long as there are any."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from service.errors import OverloadedError

Job = TypeVar("Job")

_LONGEST_QUEUE = 2000


class Queues(Generic[Job]):
    """One queue for each key, each worked by one task: `work(key, queue)` takes jobs off until none is left.

    A caller that is cancelled does not cancel the work.
    """

    def __init__(self, work: Callable[[str, deque[Job]], Awaitable[None]]) -> None:
        self._work = work
        self._queues: dict[str, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, key: str, job: Job) -> None:
        """Append a job; raise `OverloadedError` when too many wait."""
        queue = self._queues.get(key)
        if queue is None:
            self._queues[key] = queue = deque()
            task = asyncio.get_running_loop().create_task(self._run(key, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif len(queue) >= _LONGEST_QUEUE:
            raise OverloadedError(f"{_LONGEST_QUEUE} writes wait for this resource. Try again shortly.")
        queue.append(job)

    async def _run(self, key: str, queue: deque[Job]) -> None:
        try:
            await self._work(key, queue)
        finally:
            del self._queues[key]  # no await since the queue was seen empty: nothing can have come in between
