"""Servers on loopback that answer what a test scripts, byte for byte; names that resolve to what a test says."""

import asyncio
from collections.abc import Callable
from ipaddress import ip_address
from typing import Self

from service.readers.address import Address

Script = Callable[[str], bytes | list[bytes | float]]
"""From a request's head to the answer: all at once, or pieces and pauses in seconds."""


def answer(body: bytes = b"{}", *headers: str, status: str = "200 OK") -> bytes:
    """Make an answer with a true Content-Length, unless the headers say otherwise."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return answer(b"", f"Location: {location}", status=status)


class Server:
    """One listening address: the heads of the requests that came, and how many bytes went out."""

    def __init__(self, host: str, script: Script) -> None:
        self.host, self.port = host, 0
        self.heads: list[str] = []
        self.sent = 0
        self._script = script
        self._handlers: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.ensure_future(self._answer(reader, writer))
        self._handlers.add(handler)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.heads.append(head)
            pieces = self._script(head)
            for piece in [pieces] if isinstance(pieces, bytes) else pieces:
                if isinstance(piece, bytes):
                    writer.write(piece)
                    await writer.drain()
                    self.sent += len(piece)
                else:
                    await asyncio.sleep(piece)
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has seen enough
        finally:
            writer.transport.abort()


class Names:
    """A resolver that knows what it is told; each look-up of a name takes the next of its answers."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.asked: list[str] = []
        self._answers = {name.replace("_", "."): iter(each) for name, each in answers.items()}

    async def addresses(self, host: str) -> list[Address]:
        self.asked.append(host)
        if host not in self._answers:
            raise OSError(-2, "Name or service not known, says 10.0.0.53")
        return [ip_address(each) for each in next(self._answers[host])]
