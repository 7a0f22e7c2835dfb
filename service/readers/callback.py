"""Callbacks: one GET to a server that a caller named, under the guard of remote sources."""

import contextlib

from service.errors import SourceUnreachableError
from service.readers.client import GuardedClient

_MAX_ANSWER_BYTES = 64 * 1024


class GuardedCallbacks:
    """Calls back by the guarded client; redirects are not followed, and the answer means nothing."""

    def __init__(self, client: GuardedClient, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s

    async def check(self, url: str) -> None:
        """Raise `SourceForbiddenError` where the guard refuses the URL. A host that is not found now may be later."""
        with contextlib.suppress(SourceUnreachableError):
            await self._client.check(url)

    async def call(self, url: str) -> int:
        """Send one GET and return the status. Raises a `SourceError`."""
        exchange = await self._client.request("GET", url, max_bytes=_MAX_ANSWER_BYTES, timeout_s=self._timeout_s)
        return exchange.status
