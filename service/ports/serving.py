"""Who calls, and what the operator sees."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from service.model import ApiKey, Caller


class Clock(Protocol):
    """The time of day. The only source of time for whatever is stored or decided by it."""

    def now(self) -> datetime:
        """Return the present moment in UTC, at a resolution of a microsecond."""
        ...


class Probe(Protocol):
    """Tells whether the database can be written to."""

    async def ping(self) -> str:
        """Return the server's version; raise `StoreUnavailableError` when it does not answer as a primary."""
        ...


class Contract(Protocol):
    """The HTTP contract as it is handed out."""

    @property
    def yaml(self) -> bytes:
        """`openapi.yaml` as UTF-8."""
        ...

    @property
    def json(self) -> bytes:
        """The same document as JSON."""
        ...


class Authenticator(Protocol):
    """Tells who is calling."""

    async def authenticate(self, credential: str) -> Caller:
        """Return the caller who holds the credential; raise `UnauthenticatedError` when it does not hold."""
        ...


class KeyStore(Protocol):
    """Keeps API keys."""

    async def insert(self, key: ApiKey) -> None:
        """Keep a new key."""
        ...

    async def use(self, key_id: str, now: str) -> ApiKey | None:
        """Return the key and record its use, or None when there is none of that id."""
        ...

    async def list_all(self) -> list[ApiKey]:
        """Return all keys, newest first."""
        ...

    async def revoke(self, key_id: str, now: str) -> bool:
        """Revoke a key for good; return whether there was one to revoke."""
        ...


class Rates(Protocol):
    """Counts the requests of callers."""

    @property
    def rate(self) -> float:
        """Requests per second and caller; 0 limits nothing."""
        ...

    def take(self, caller: str, now: float) -> float:
        """Count a request at the monotonic time `now`; return 0, or the seconds after which one would be let in."""
        ...


class Spans(Protocol):
    """Telemetry, where it is on: makes spans of requests and jobs, and of the commands that they send."""

    @property
    def listeners(self) -> Sequence[Any]:
        """What the database client is given, to make spans of its commands."""
        ...

    def request(self, name: str, traceparent: str | None) -> AbstractContextManager[str]:
        """Make the span, below the caller's own if it sent a `traceparent`; give the one to pass on."""

    def job(self, name: str) -> AbstractContextManager[None]:
        """Make the span of an asynchronous call, which no request waits for."""
        ...
