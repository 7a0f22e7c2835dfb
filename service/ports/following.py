"""The feed, and work that one instance does for all."""

from collections.abc import AsyncGenerator
from typing import Protocol

from service.model import Event


class FeedStore(Protocol):
    """Keeps what happened, in one order."""

    async def advance(self, limit: int = 500) -> int:
        """Make events of what has happened since; return how many were made. May be done by many at once."""
        ...

    async def list_after(self, position: int, limit: int) -> list[Event]:
        """Return events after a position, oldest first; raise `FeedGoneError` when some are kept no more."""
        ...

    async def last_position(self) -> int:
        """Return the position of the newest event, 0 when there never was one."""
        ...

    async def trim(self, before: str) -> int:
        """Forget events of before a moment, a record of them at a time; return how many records."""
        ...


class FeedWatch(Protocol):
    """Tells when there may be new events."""

    @property
    def count(self) -> int:
        """How often there may have been new events so far."""
        ...

    @property
    def is_closing(self) -> bool:
        """Whether the service is about to stop, so that nobody should wait."""
        ...

    async def changed(self, seen: int, timeout_s: float) -> None:
        """Wait until `count` is more than `seen`, or the time is up, or the service stops."""
        ...


class FeedSignals(Protocol):
    """Where new events show up first."""

    def follow(self) -> AsyncGenerator[bool, None]:
        """Yield True for each batch of new events, and False about once a second while there is none, until cancelled.

        Raises `StoreUnavailableError`.
        """
        ...


class Lease(Protocol):
    """Background work that any instance may do and one at a time should."""

    async def acquire(self, name: str, seconds: float) -> bool:
        """Take the lease, or renew it; False while another instance holds it."""
        ...

    async def release(self, name: str) -> None:
        """Give the lease back, if it is held."""
        ...
