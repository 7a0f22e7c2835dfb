"""The embedded MongoDB as the service sees it: up while the service is, restarted when it falls."""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from service.errors import StartError
from service.store.mongod import MongodProcess
from service.tasks import end

_LOG = logging.getLogger(__name__)
_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 10.0
_STEADY_AFTER_S = 30.0
_POLL_S = 0.25


class EmbeddedMongo:
    """`async with EmbeddedMongo(data_dir) as server:` runs a supervised server at `server.uri`.

    Enter it from the main thread (see `MongodProcess`). While the server is down the store's calls fail with
    `StoreUnavailableError`, and come back by themselves.
    """

    def __init__(
        self, data_dir: Path, binary: Path | None = None, on_restart: Callable[[], object] = lambda: None
    ) -> None:
        self._server = MongodProcess(data_dir, binary)
        self._on_restart = on_restart
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def uri(self) -> str:
        """Where the driver finds the server; stays the same over restarts."""
        return self._server.uri

    @property
    def pid(self) -> int:
        """The process id of the present server."""
        return self._server.pid

    async def __aenter__(self) -> Self:
        self._server.start()
        try:
            await asyncio.to_thread(self._server.wait_until_primary)
        except BaseException:
            await asyncio.to_thread(self._server.stop)
            raise
        self._supervisor = asyncio.create_task(self._supervise(), name="embedded-mongod")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._supervisor is not None:
            await end(self._supervisor)
        await asyncio.to_thread(self._server.stop)

    async def _supervise(self) -> None:
        delay = _FIRST_DELAY_S
        while True:
            started = time.monotonic()
            code = await self._ended()
            if time.monotonic() - started > _STEADY_AFTER_S:
                delay = _FIRST_DELAY_S
            self._on_restart()
            _LOG.error("the embedded MongoDB server ended with code %s; starting it again in %.1f s", code, delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY_S)
            await self._restart()

    async def _ended(self) -> int:
        while (code := self._server.exit_code()) is None:  # noqa: ASYNC110 - waiting would hold a thread for good
            await asyncio.sleep(_POLL_S)
        return code

    async def _restart(self) -> None:
        try:
            self._server.respawn()
            await asyncio.to_thread(self._server.wait_until_primary)
        except (StartError, OSError) as error:
            _LOG.error("the embedded MongoDB server did not start: %s", error)
        else:
            _LOG.warning("the embedded MongoDB server is back (process %s)", self._server.pid)
