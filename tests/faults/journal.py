"""What writers were told, and the comparison with what is there afterwards."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

Append = Callable[[str, str], Awaitable[bool]]
"""Append a token to a resource's list; True when acknowledged, False when refused or unanswered."""


class Journal:
    """Writers append tokens of their own, each once, and note which were acknowledged.

    A token is in the stored list exactly once if it was acknowledged, and at most once if not.
    """

    def __init__(self, resource_ids: Sequence[str]) -> None:
        self.resource_ids = resource_ids
        self.acknowledged: dict[str, list[str]] = {each: [] for each in resource_ids}
        self.unanswered: dict[str, list[str]] = {each: [] for each in resource_ids}
        self._count = 0

    @property
    def count(self) -> int:
        """How many writes were acknowledged."""
        return sum(map(len, self.acknowledged.values()))

    async def grow_beyond(self, count: int) -> None:
        """Wait until more writes than `count` were acknowledged: a slow machine is to have something to lose, too."""
        async with asyncio.timeout(60):
            while self.count <= count:
                await asyncio.sleep(0.05)

    async def keep_writing(self, append: Append, stop: asyncio.Event) -> None:
        """Append one token after the other until told to stop."""
        while not stop.is_set():
            self._count += 1
            token, resource_id = f"t{self._count}", self.resource_ids[self._count % len(self.resource_ids)]
            book = self.acknowledged if await append(resource_id, token) else self.unanswered
            book[resource_id].append(token)

    def check(self, resource_id: str, stored: list[Any], version: int) -> None:
        """Compare with the list that is stored, and with the version: each write made one."""
        assert set(self.acknowledged[resource_id]) <= set(stored), "an acknowledged write is lost"
        assert len(stored) == len(set(stored)), "a write was done twice"
        assert set(stored) <= {*self.acknowledged[resource_id], *self.unanswered[resource_id]}
        assert version == 1 + len(stored)
