"""A small HTTP load generator: so many keep-alive connections, each with one request under way at any time."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

Request = Callable[[], bytes]


class Connection(asyncio.Protocol):
    """Sends a request, waits for the whole answer, sends the next."""

    def __init__(self, make_request: Request, tally: "Tally") -> None:
        self._make_request = make_request
        self._tally = tally
        self._buffer = b""
        self._missing = -1
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._make_request())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._missing < 0:
            head, separator, rest = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            self._status = int(head[9:12])
            self._missing = _content_length(head)
            self._buffer = rest
        if len(self._buffer) >= self._missing:
            self._tally.add(self._status, time.perf_counter() - self._sent_at)
            self._buffer, self._missing = b"", -1
            if self._tally.is_open:
                self._send()
            else:
                self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        if self._tally.is_open:
            self._tally.lost += 1


class Tally:
    def __init__(self) -> None:
        self.is_open = True
        self.lost = 0
        self.statuses: dict[int, int] = {}
        self.times: list[float] = []
        self.cpu_seconds = 0.0

    def add(self, status: int, seconds: float) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.times.append(seconds)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line[15:])
    return 0


async def measure(address: tuple[str, int], connections: int, make_request: Request, seconds: float) -> Tally:
    """Load the service for some seconds after a second of warming up; return what came back."""
    warm_up, tally = Tally(), Tally()
    loop = asyncio.get_running_loop()
    for current, duration in ((warm_up, 1.0), (tally, seconds)):
        before = cpu_seconds()
        opened = [
            (await loop.create_connection(lambda: Connection(make_request, current), *address))[0]  # noqa: B023
            for _ in range(connections)
        ]
        await asyncio.sleep(duration)
        current.is_open = False
        await asyncio.sleep(0.5)
        current.cpu_seconds = cpu_seconds() - before
        for transport in opened:
            transport.abort()
    if tally.lost or any(status >= 300 for status in tally.statuses):
        raise RuntimeError(f"not every request was answered well: {tally.statuses}, {tally.lost} connections lost")
    return tally


def cpu_seconds() -> float:
    """Sum the CPU time of this process and all that came of it: the load, the service, the database."""
    stats = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rsplit(")", 1)[1].split()
            stats[int(path.parent.name)] = (int(fields[1]), int(fields[11]) + int(fields[12]))
    family = {os.getpid()}
    while grown := {pid for pid, (parent, _) in stats.items() if parent in family} - family:
        family |= grown
    return sum(stats[pid][1] for pid in family if pid in stats) / os.sysconf("SC_CLK_TCK")


def request(method: str, path: str, body: bytes = b"", media_type: str = "application/json") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\n"
    if body:
        head += f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
