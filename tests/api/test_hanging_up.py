"""Clients that hang up before they are answered, on the server that runs outside of tests."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from service.app import create_app
from service.core.options import DiffOptions
from service.keys import COMPARER, FOLLOWERS, ROOM, RUNNER, TRAFFIC
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


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[tuple[str, int]]:
    """Serve the application as `patchbay` does: handlers are not told that their client has gone."""
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield host, port
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("route", ["patch", "compare"])
async def test_work_for_a_client_that_hung_up_is_given_up(settings: Settings, route: str) -> None:
    app = create_app(settings)
    endless: Any = Endless()
    app[COMPARER], app[RUNNER] = endless, endless
    async with served(app) as (host, port):
        _, writer = await asyncio.open_connection(host, port)
        body = json.dumps({"a": inline(1), "b": inline(2)}).encode()
        head = f"POST /api/json/v1/{route} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        async with asyncio.timeout(30):
            await endless.begun.wait()
            writer.close()
            await endless.ended.wait()


async def test_who_follows_a_rollout_that_stands_still_and_hangs_up_is_forgotten(settings: Settings) -> None:
    app = create_app(settings)
    async with served(app) as (host, port), aiohttp.ClientSession(f"http://{host}:{port}") as session:
        made = await (await session.post("/v1/stands-still", json={})).json()
        definition = {"patch_id": "p", "payload": {"operations": [{"op": "remove", "path": "/none"}]}}
        patches = f"/resources/{made['id']}/patches"
        assert (await session.post(patches, json={"definition": definition})).status == 201
        path = (await session.post(f"{patches}/p/rollouts", json={"type": "stands-still"})).headers["Location"]
        assert (await session.post(f"{path}/pause")).status in (200, 409)  # it has halted by itself else
        async with session.get(path, headers={"Accept": "text/event-stream"}) as response:
            await response.content.readuntil(b"\n\n")
            followed = app[TRAFFIC].count
            response.close()

        async with asyncio.timeout(30):
            while app[TRAFFIC].count:
                await asyncio.sleep(0.05)

    assert followed == 1


def request_of(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


LARGE = json.dumps({"a": inline(list(range(60_000))), "b": inline(list(range(1, 60_000)))}).encode()
FORM = b"".join(
    b'--x\r\nContent-Disposition: form-data; name="%s"; filename="f"\r\n\r\n%s\r\n' % (name, LARGE)
    for name in (b"a", b"b")
)
REQUESTS = (
    request_of("POST", "/api/json/v1/patch", LARGE, Content_Type="application/json"),
    request_of("POST", "/api/json/v1/compare", LARGE, Content_Type="application/json"),
    request_of("POST", "/api/json/v1/patch", LARGE[:-1] + b',"async":true}', Content_Type="application/json"),
    request_of("POST", "/api/json/v1/patch", FORM + b"--x--\r\n", Content_Type="multipart/form-data; boundary=x"),
    request_of("POST", "/v1/hung-up", LARGE, Content_Type="application/json", Idempotency_Key="hung-up"),
    request_of("GET", "/events?after=latest&wait=60"),
    request_of("GET", "/events?after=latest", Accept="text/event-stream"),
)


@pytest.mark.parametrize("engine", ["auto", "python"])
async def test_nothing_is_held_for_those_who_have_hung_up(settings: Settings, engine: str) -> None:
    app = create_app(msgspec.structs.replace(settings, engine=engine))
    async with served(app) as (host, port):

        async def send(request: bytes, share: float, pause_s: float, is_rude: bool) -> None:
            _, writer = await asyncio.open_connection(host, port)
            writer.write(request[: round(len(request) * share)])
            await asyncio.sleep(pause_s)
            if is_rude:
                writer.transport.abort()
            writer.close()

        ways = itertools.product(REQUESTS, (0.3, 0.999, 1), (0, 0.01, 0.2), (False, True))
        await asyncio.gather(*(send(*way) for way in ways))

        async with asyncio.timeout(60):
            while app[TRAFFIC].count or app[FOLLOWERS].count or app[ROOM]._taken or app[RUNNER]._gate._inside:  # type: ignore[attr-defined]
                await asyncio.sleep(0.05)
        assert app[RUNNER]._gate._bytes == 0  # type: ignore[attr-defined]
        compared = await app[RUNNER].compare(LARGE, LARGE, DiffOptions())  # type: ignore[attr-defined]
    assert compared.patch == b"[]"
