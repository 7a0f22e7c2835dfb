"""Stopping without loss: requests in flight are counted, may finish, and are cut off when their time is over."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware


class Traffic:
    """The requests being served by this process.

    aiohttp's own shutdown drops what still arrives on a connection, so a request whose body is on its way could never
    finish; therefore `drain` comes first, and aiohttp closes connections on which nothing is left to happen.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()
        self._stopping = False
        self._ended = asyncio.Event()

    def middleware(self) -> Middleware:
        """Make the outermost middleware, which stands around every handler."""

        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._count(request, handler)

        return count

    async def _count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("aiohttp runs every handler in a task")
        self._tasks.add(task)
        try:
            response = await handler(request)
        finally:
            self._tasks.discard(task)
            self._ended.set()
        if self._stopping:
            response.force_close()
        return response

    async def drain(self, grace_s: float) -> int:
        """Wait until no request is left, at most so long; then cancel the rest and return how many they were.

        Connections end with the answer they get from now on. New ones must not come any more.
        """
        self._stopping = True
        try:
            async with asyncio.timeout(grace_s):
                while self._tasks:
                    self._ended.clear()
                    await self._ended.wait()
        except TimeoutError:
            cut = list(self._tasks)
            for task in cut:
                task.cancel()
            return len(cut)
        return 0
