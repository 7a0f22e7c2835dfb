"""Clients that hang up before they are answered, on the server that runs outside of tests."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from service.app import create_app
from service.keys import COMPARER, RUNNER
from service.settings import Settings
from tests.api.conftest import inline


class Endless:
    """Compares for ever; `begun` and `ended` tell of the work in it."""

    def __init__(self) -> None:
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    async def compare(self, *_: Any) -> Any:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()

    run = call = compare


@pytest.mark.parametrize("route", ["patch", "compare"])
async def test_work_for_a_client_that_hung_up_is_given_up(settings: Settings, route: str) -> None:
    app = create_app(settings)
    endless: Any = Endless()
    app[COMPARER], app[RUNNER] = endless, endless
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        _, writer = await asyncio.open_connection(host, port)
        body = json.dumps({"a": inline(1), "b": inline(2)}).encode()
        head = f"POST /api/json/v1/{route} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        async with asyncio.timeout(30):
            await endless.begun.wait()
            writer.close()
            await endless.ended.wait()
    finally:
        await runner.cleanup()
