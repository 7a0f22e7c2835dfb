"""The memory that documents may take while requests hold them: many large ones are as much as one without end.

Request bodies count, and what inputs are read to from URLs, files, uploads and the store.
"""

from threading import Lock

from service.errors import OverloadedError

_SOON_S = 2.0


class Room:
    """Counts the bytes that all shares hold together. It is safe to use from several threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._taken = 0
        self._lock = Lock()

    def share(self) -> "Share":
        """Open the share of one request, or of one job; whoever opens it closes it."""
        return Share(self)

    def has_taken(self, size: int, own: int) -> bool:
        """Take room for more bytes of a share that has `own` so far; False where there is none.

        A share that holds all there is may go on: somebody gets through.
        """
        with self._lock:
            fits = self._taken + size <= self._max_bytes or self._taken <= own
            self._taken += size if fits else 0
            return fits

    def add(self, size: int) -> None:
        """Count bytes that are held whether there is room or not; fewer than none are given back."""
        with self._lock:
            self._taken += size


class Share:
    """What one request, or one job, holds of the room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._held = 0
        self._is_closed = False
        self._lock = Lock()

    def take(self, size: int) -> None:
        """Take room for more bytes. Raises `OverloadedError` where there is none; the share is closed with that.

        So of many that grow together some come to their end. A closed share is refused: whoever still reads in a
        thread for a request that is over gets no further.
        """
        with self._lock:
            if not self._is_closed and self._room.has_taken(size, self._held):
                self._held += size
                return
        self.close()
        raise OverloadedError(
            "Too many large documents are being held at a time. Try again in a moment.", retry_after_s=_SOON_S
        )

    def add(self, size: int) -> None:
        """Count bytes that are held in any case: others find less room."""
        with self._lock:
            self._room.add(size)
            self._held += size

    def close(self) -> None:
        """Give back everything."""
        with self._lock:
            self._is_closed = True
            self._room.add(-self._held)
            self._held = 0
