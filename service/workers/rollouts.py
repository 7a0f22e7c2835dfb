"""Takes rollouts further, batch by batch. Any number of instances may; each works on what no other has leased."""

import asyncio
import contextlib
import logging
from datetime import timedelta

from service.core.timestamp import format_timestamp
from service.errors import ServiceError, StoreError
from service.rollouts import Rollout
from service.tasks import to_its_end
from service.usecases import rolling
from service.usecases.rolling import Rolling
from service.workers.background import forever
from service.workers.calm import Calm

_LOG = logging.getLogger(__name__)
_LEASE_S = 10.0


class RolloutWorker:
    """Works on one rollout at a time. `calm` is stirred for a new one."""

    def __init__(self, collaborators: Rolling, calm: Calm) -> None:
        self._rolling = collaborators
        self._calm = calm

    async def run(self) -> None:
        """Work until cancelled; what is under way then is given back, for who comes next."""
        await forever("rollouts", self._round)

    async def _round(self) -> float:
        if await self.work_on_one():
            self._calm.stir()
        else:
            await self._calm.rest()
        return 0.0

    async def work_on_one(self) -> bool:
        """Take a rollout to its end, or until it is paused or somebody else has it; False when there is none."""
        held = self._until()
        claimed = await self._rolling.rollouts.claim(self._now(), held)
        if claimed is None:
            return False
        rollout: Rollout = claimed
        try:
            while rollout.state == "running":
                rollout = await self._take_further(rollout)
                before, held = held, self._until()
                if not await to_its_end(self._rolling.rollouts.advance(rollout, before, held)):
                    break
        except asyncio.CancelledError:
            with contextlib.suppress(StoreError):  # its lease runs out
                await self._rolling.rollouts.advance(rollout, held, self._now())
            raise
        return True

    async def _take_further(self, rollout: Rollout) -> Rollout:
        """Take it further; what would fail again and again halts it, so that the others have their turn."""
        try:
            return await rolling.take_further(rollout, self._rolling)
        except ServiceError as error:
            if isinstance(error, StoreError) or error.retry_after_s is not None:
                raise
            return rolling.halt(rollout, error.detail, self._rolling)
        except Exception:  # noqa: BLE001 - told in the log and by the rollout, and the others go on
            _LOG.exception("rollout %s cannot be taken further", rollout.id)
            return rolling.halt(rollout, "It failed in a way that nobody foresaw; the log has more.", self._rolling)

    def _now(self) -> str:
        return format_timestamp(self._rolling.desk.clock.now())

    def _until(self) -> str:
        return format_timestamp(self._rolling.desk.clock.now() + timedelta(seconds=_LEASE_S))
