"""Tells callers that their jobs are over: one GET for each job, whichever instance finished it, never a second one."""

import asyncio
import logging

from service.errors import ServiceError
from service.model import Owed
from service.ports import Callbacks, JobStore
from service.tasks import end, to_its_end
from service.workers.background import forever
from service.workers.calm import Calm
from service.workers.under_way import UnderWay

_LOG = logging.getLogger(__name__)
_AT_ONCE = 32
_TO_EACH = 4
"""Of those so many to one server: one that hangs holds up neither jobs nor the callbacks of others."""
_LAST_S = 1.0
"""What is under way when the instance stops has so long to end: what is broken off then is not sent again."""


class CallbackWorker:
    """Makes the callbacks that are owed. `run` is a task of the instance's life, `calm` stirred for a finished job."""

    def __init__(self, store: JobStore, callbacks: Callbacks, calm: Calm) -> None:
        self._store = store
        self._callbacks = callbacks
        self._calm = calm
        self._under_way = UnderWay(_AT_ONCE, _TO_EACH, lambda _: calm.stir())

    async def run(self) -> None:
        """Call until cancelled. What nobody has begun by then the next instance does."""
        try:
            await forever("callbacks", self._round)
        finally:
            try:
                if self._under_way.tasks:
                    await asyncio.wait(self._under_way.tasks, timeout=_LAST_S)
            finally:
                await end(*self._under_way.tasks)

    async def _round(self) -> float:
        await self._under_way.wait_for_place()
        # A cancellation does not stop the database: what it gives out is called.
        if await to_its_end(self._begin_next()):
            self._calm.stir()
        else:
            await self._calm.rest()
        return 0.0

    async def _begin_next(self) -> bool:
        """Take what is owed and begin it, if anything is."""
        owed = await self._store.take_callback(self._under_way.full())
        if owed is not None:
            self._under_way.begin(owed.server, self._call(owed))
        return owed is not None

    async def _call(self, owed: Owed) -> None:
        try:
            status = await self._callbacks.call(owed.url)
        except ServiceError as error:
            _LOG.warning("the callback of job %s failed: %s", owed.job_id, error.code)
        except Exception:  # noqa: BLE001 - nobody foresaw it: it spoils this callback alone, and the log says why
            _LOG.exception("the callback of job %s failed", owed.job_id)
        else:
            _LOG.info("the callback of job %s was answered with %d", owed.job_id, status)
