"""The real application on the run's MongoDB, and a client to it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from service.app import create_app
from service.settings import Settings

Client = TestClient[web.Request, web.Application]
Starter = Callable[..., Awaitable[Client]]


@dataclass
class Exchange:
    """What came back for bytes that were sent: the status (0 where the connection closed without an answer)."""

    status: int
    headers: dict[str, str]
    body: bytes
    closed: bool
    """Whether the service closed the connection behind its answer."""

    @property
    def problem(self) -> dict[str, Any]:
        """The answer as a problem document."""
        assert self.headers["content-type"].startswith("application/problem+json"), (self.status, self.body)
        problem: dict[str, Any] = json.loads(self.body)
        return problem


Sender = Callable[..., Awaitable[Exchange]]


async def problem_members(client: Client) -> set[str]:
    """The members that the contract knows of problems."""
    contract = await (await client.get("/openapi.json")).json()
    return set(contract["components"]["schemas"]["Problem"]["properties"])


async def exchange(client: Client, *pieces: bytes, pause_s: float = 0.0, hang_up: bool = False) -> Exchange:
    """Send pieces with pauses between them, and read one answer; `hang_up` ends the sending side afterwards."""
    reader, writer = await asyncio.open_connection(client.host, client.port)

    async def send() -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
        if hang_up:
            writer.write_eof()

    sending = asyncio.create_task(send())
    try:
        async with asyncio.timeout(30):
            status_line = await reader.readline()
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines() if status_line else []
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await reader.read()
            return Exchange(int(status_line.split()[1]) if status_line else 0, headers, body, reader.at_eof())
    except ConnectionResetError:  # it closed while bytes were still on their way
        return Exchange(0, {}, b"", closed=True)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()


@pytest.fixture(name="client")
async def make_client(aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings) -> Client:
    """A client of a service with default limits."""
    return await aiohttp_client(create_app(settings))


@pytest.fixture(name="start")
def make_starter(aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings) -> Starter:
    """Start a service with some settings changed: `await start(max_body_bytes=100)`."""

    async def start(**changes: Any) -> Client:
        return await aiohttp_client(create_app(msgspec.structs.replace(settings, **changes)))

    return start


@pytest.fixture(name="send")
def make_sender() -> Sender:
    """Send bytes as they are, for requests that a polite client cannot make; see `Exchange`."""
    return exchange


def inline(value: Any) -> dict[str, Any]:
    """An I/O object that holds the document itself."""
    return {"type": "inline", "value": value}
