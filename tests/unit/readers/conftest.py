"""Servers on loopback that end with the test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from tests.loopback import Script, Server

Serve = Callable[..., Awaitable[Server]]


@pytest.fixture(name="serve")
async def start_servers() -> AsyncIterator[Serve]:
    """A function that starts a server: `await serve(script, host="127.0.0.2")`."""
    async with AsyncExitStack() as stack:

        async def serve(script: Script | bytes, host: str = "127.0.0.2", port: int = 0) -> Server:
            server = Server(host, script if callable(script) else lambda _head: script)
            server.port = port
            return await stack.enter_async_context(server)

        yield serve
