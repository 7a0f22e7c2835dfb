"""The memory that request bodies may take, all together: many large ones at a time are as much as one without end."""

from service.errors import OverloadedError

_SOON_S = 2.0


class Room:
    """Counts the bytes that requests in flight hold. One that holds all there is may go on: somebody gets through."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._taken = 0

    def take(self, size: int, own: int) -> None:
        """Take room for more bytes of a request that has taken `own` so far; raise `OverloadedError` without any."""
        if self._taken + size > self._max_bytes and self._taken > own:
            raise OverloadedError(
                "Too many large bodies are being received at a time. Try again in a moment.", retry_after_s=_SOON_S
            )
        self._taken += size

    def release(self, size: int) -> None:
        """Give back what a request has taken."""
        self._taken -= size
