"""A small HTTP load generator: so many keep-alive connections, each with one request under way at any time.

It shares a core with what it measures, so it does no more than it must: it writes a request, looks at the status and
the length of the answer, and waits until the whole answer is there.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

Request = Callable[[], bytes]
_LENGTH = b"Content-Length: "
_PATIENCE_S = 60.0


@dataclass
class Tally:
    """What came back, and what it took."""

    seconds: float
    is_open: bool = True
    lost: int = 0
    statuses: Counter[bytes] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)

    def is_good(self) -> bool:
        """Say whether every request was answered with a 2xx."""
        return bool(self.times) and not self.lost and all(status.startswith(b"2") for status in self.statuses)


class Connection(asyncio.Protocol):
    """Sends a request, waits for the whole answer, sends the next."""

    def __init__(self, make_request: Request, tally: Tally) -> None:
        self._make_request = make_request
        self._tally = tally
        self._buffer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is none by name
        self._sent_at = time.perf_counter()
        self._transport.write(self._make_request())

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        if not _is_whole(data):
            self._buffer = data
            return
        self._buffer = b""
        now = time.perf_counter()
        self._tally.times.append(now - self._sent_at)
        self._tally.statuses[data[9:12]] += 1
        if self._tally.is_open:
            self._sent_at = now
            self._transport.write(self._make_request())
        else:
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        if self._tally.is_open:
            self._tally.lost += 1


def _is_whole(answer: bytes) -> bool:
    head_end = answer.find(b"\r\n\r\n")
    if head_end < 0:
        return False
    at = answer.find(_LENGTH, 0, head_end)
    if at < 0:
        at = answer[:head_end].lower().find(_LENGTH.lower())
    length = 0 if at < 0 else int(answer[at + len(_LENGTH) : answer.find(b"\r", at)])
    return len(answer) >= head_end + 4 + length


async def load(address: tuple[str, int], connections: int, make_request: Request, seconds: float) -> Tally:
    """Load the service for some seconds, or until its first answer; return what came back."""
    loop = asyncio.get_running_loop()
    tally = Tally(seconds)
    opened = [
        (await loop.create_connection(lambda: Connection(make_request, tally), *address))[0] for _ in range(connections)
    ]
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    while not tally.times and time.perf_counter() < began + _PATIENCE_S:  # noqa: ASYNC110 - an event costs each answer
        await asyncio.sleep(1)
    tally.seconds = time.perf_counter() - began
    tally.is_open = False
    await asyncio.sleep(0.5)
    for transport in opened:
        transport.abort()
    if not tally.is_good():
        raise RuntimeError(f"not every request was answered well: {tally.statuses}, {tally.lost} connections lost")
    return tally


def request(method: str, path: str, body: bytes = b"", media_type: str = "application/json") -> bytes:
    """Write a request as it goes over the wire."""
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\n"
    if body:
        head += f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
