"""Takes rollouts further, batch by batch. Any number of instances may; each works on what no other has leased."""

import asyncio
import logging
from datetime import timedelta

from service.core.timestamp import format_timestamp
from service.errors import StoreError
from service.rollouts import Rollout
from service.usecases import rolling
from service.usecases.rolling import Rolling

_LOG = logging.getLogger(__name__)
_LEASE_S = 10.0
_PAUSE_S = 0.5
_IDLE_S = 2.0


class RolloutWorker:
    """Works on one rollout at a time."""

    def __init__(self, collaborators: Rolling) -> None:
        self._rolling = collaborators

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                pause = 0.0 if await self.work_on_one() else _PAUSE_S
            except StoreError:
                pause = _IDLE_S
            except Exception:  # noqa: BLE001 - the worker must outlive one rollout that it cannot take further
                _LOG.exception("a rollout could not be taken further")
                pause = _IDLE_S
            await asyncio.sleep(pause)

    async def work_on_one(self) -> bool:
        """Take a rollout to its end, or until it is paused or somebody else has it; False when there is none."""
        held = self._until()
        claimed = await self._rolling.rollouts.claim(self._now(), held)
        if claimed is None:
            return False
        rollout: Rollout = claimed
        while rollout.state == "running":
            rollout = await rolling.take_further(rollout, self._rolling)
            until = self._until()
            if not await self._rolling.rollouts.advance(rollout, held, until):
                break
            held = until
        return True

    def _now(self) -> str:
        return format_timestamp(self._rolling.desk.clock.now())

    def _until(self) -> str:
        return format_timestamp(self._rolling.desk.clock.now() + timedelta(seconds=_LEASE_S))
