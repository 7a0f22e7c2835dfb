"""A hold on work that one instance does at a time: a lease that is renewed now and then, not for every round."""

import time

from service.ports import Lease


class Hold:
    """One name's lease, asked for again when a quarter of it is over; a lost one is asked for every time."""

    def __init__(self, lease: Lease, name: str, seconds: float) -> None:
        self._lease = lease
        self._name = name
        self._seconds = seconds
        self._taken_at = -seconds

    async def keep(self) -> bool:
        """Take the lease or renew it where that is due; False while another instance holds it."""
        now = time.monotonic()
        if now - self._taken_at > self._seconds / 4:
            if not await self._lease.acquire(self._name, self._seconds):
                return False
            self._taken_at = now
        return True

    async def release(self) -> None:
        """Give the lease back, if it is held."""
        await self._lease.release(self._name)
