"""Names that callers give and that hang: they hold up nothing that goes elsewhere."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from service.delivery import Endpoint, Notice
from service.keys import SENDER
from service.readers.resolver import MAX_LOOK_UPS
from tests.api.conftest import Client, Starter, inline
from tests.loopback import Server, answer

HOST = "listens.example.org"
TIME = "2026-01-01T00:00:00.000000Z"
NOTICE = Notice(id="1", type="patch", source="/", subject="s", time=TIME, data=msgspec.Raw(b"{}"))


class NameServer:
    """Knows `HOST`, and answers for no name of `hangs.example.org` until it is freed."""

    def __init__(self, known: Any) -> None:
        self._known = known
        self.freed = threading.Event()
        self.hanging = 0
        self.asked: list[asyncio.Task[None]] = []

    def look_up(self, host: str, *more: Any, **how: Any) -> Any:
        """Stand in for `getaddrinfo`."""
        if host.endswith("hangs.example.org"):
            self.hanging += 1
            self.freed.wait()
            raise OSError
        return self._known("127.0.0.1" if host == HOST else host, *more, **how)


@pytest.fixture(name="names")
async def make_names(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[NameServer]:
    names = NameServer(socket.getaddrinfo)
    monkeypatch.setattr(socket, "getaddrinfo", names.look_up)
    yield names
    names.freed.set()
    await asyncio.gather(*names.asked, return_exceptions=True)


@pytest.fixture(name="server")
async def start_server() -> AsyncIterator[Server]:
    async with Server("127.0.0.1", lambda _: answer()) as server:
        yield server


async def under_hanging_inputs(start: Starter, names: NameServer, server: Server) -> Client:
    """A service all of whose look-ups for inputs hang; `names` keeps the requests."""
    client = await start(url_allow=(HOST,), url_ports=(80, server.port), url_timeout_s=3600.0)

    async def ask(number: int) -> None:
        source = {"type": "http", "uri": f"http://{number}.hangs.example.org/"}
        await client.post("/api/json/v1/patch", json={"a": source, "b": inline(1)})

    names.asked = [asyncio.create_task(ask(number)) for number in range(MAX_LOOK_UPS + 4)]
    async with asyncio.timeout(60):
        while names.hanging < MAX_LOOK_UPS:
            await asyncio.sleep(0.02)
    return client


async def test_a_callback_is_made_while_look_ups_for_inputs_hang(
    start: Starter, names: NameServer, server: Server
) -> None:
    client = await under_hanging_inputs(start, names, server)

    async with asyncio.timeout(60):
        call = {"a": inline(1), "b": inline(2), "async": {"callback": f"http://{HOST}:{server.port}/done"}}
        accepted = await client.post("/api/json/v1/patch", json=call)
        while not server.heads:
            await asyncio.sleep(0.02)

    assert accepted.status == 202
    assert server.heads[0].startswith("GET /done")


async def test_a_delivery_is_sent_while_look_ups_for_inputs_hang(
    start: Starter, names: NameServer, server: Server
) -> None:
    client = await under_hanging_inputs(start, names, server)
    assert client.app is not None
    provider = Endpoint(name="p", url=f"http://{HOST}:{server.port}/", secrets=("whsec_AAAA",), updated_at=TIME)

    async with asyncio.timeout(60):
        sent = await client.app[SENDER].send(provider, NOTICE, datetime.now(UTC))

    assert sent.status == 200
