"""Callbacks: one GET to a server that a caller named, under the guard of remote sources."""

import asyncio
import contextlib

from service.errors import SourceUnreachableError
from service.readers.client import GuardedClient


class GuardedCallbacks:
    """Calls back by the guarded client; redirects are not followed, and of the answer only the status is read."""

    def __init__(self, client: GuardedClient, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s

    async def check(self, url: str) -> None:
        """Raise `SourceForbiddenError` where the guard refuses the URL.

        A host that is not found, or not in time, may be later; it is judged again when it is called.
        """
        with contextlib.suppress(SourceUnreachableError, TimeoutError):
            async with asyncio.timeout(self._timeout_s):
                await self._client.check(url)

    async def call(self, url: str) -> int:
        """Send one GET and return the status. Raises a `SourceError`."""
        exchange = await self._client.request("GET", url, max_bytes=None, timeout_s=self._timeout_s)
        return exchange.status
