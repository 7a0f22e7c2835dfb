"""Large inputs, however they come, hold what room there is together: whoever finds none is told to come again."""

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

Client = TestClient[web.Request, web.Application]
Starter = Callable[..., Awaitable[Client]]

ROUTE = "/api/json/v1/patch"
LARGE = json.dumps({"n": "x" * 1_000_000}).encode()
GROWING = b"a: &a " + b"x" * 1_000 + b"\nb: [" + b", ".join([b"*a"] * 1_000) + b"]\n"
ROOM = 2_500_000
"""Enough for two of them and not for three."""
ASKED = 8


class Source:
    """A server that answers `/large` at once, compressed, and anything else when it is `open`."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body, encoding = b"{}", b"identity"
        if b"/large" in head:
            body, encoding = gzip.compress(LARGE), b"gzip"
        else:
            await self.open.wait()
        length = b"%d" % len(body)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: " + encoding + b"\r\nContent-Length: " + length)
        writer.write(b"\r\n\r\n" + body)
        await writer.drain()
        writer.close()


@pytest.fixture(name="source")
async def serve_source() -> AsyncIterator[Source]:
    source = Source()
    server = await asyncio.start_server(source.answer, "127.0.0.2", 0)
    source.port = server.sockets[0].getsockname()[1]
    yield source
    source.open.set()
    server.close()


@pytest.fixture(name="client")
async def start_service(start: Starter, source: Source, tmp_path: Path) -> Client:
    (tmp_path / "large.json").write_bytes(LARGE)
    (tmp_path / "growing.yaml").write_bytes(GROWING)
    return await start(
        files_root=tmp_path,
        url_allow=("127.0.0.2",),
        url_ports=(source.port,),
        url_timeout_s=60,
        max_bodies_bytes=ROOM,
    )


def later(source: Source) -> dict[str, Any]:
    return {"type": "url", "url": f"http://127.0.0.2:{source.port}/later"}


async def ask(client: Client, source: Source, kind: str, resource: str = "") -> ClientResponse:
    """Compare a large input with one that comes later."""
    if kind == "compressed part":
        lines = b'Content-Disposition: form-data; name="a"; filename="a.json"\r\nContent-Encoding: gzip\r\n\r\n'
        body = b"--xx\r\n" + lines + gzip.compress(LARGE) + b'\r\n--xx\r\nContent-Disposition: form-data; name="b"'
        body += b"\r\n\r\n" + later(source)["url"].encode() + b"\r\n--xx--\r\n"
        headers = {"Content-Type": "multipart/form-data; boundary=xx"}
        return await client.post(ROUTE, data=io.BytesIO(body), headers=headers)
    large: dict[str, Any] = {
        "file": {"type": "file", "path": "large.json"},
        "yaml": {"type": "file", "path": "growing.yaml"},
        "url": {"type": "url", "url": f"http://127.0.0.2:{source.port}/large"},
        "stored": {"type": "resource", "id": resource},
    }
    return await client.post(ROUTE, json={"a": large[kind], "b": later(source)})


@pytest.mark.parametrize("kind", ["file", "yaml", "url", "stored", "compressed part"])
async def test_large_inputs_share_what_room_there_is(client: Client, source: Source, kind: str) -> None:
    stored = await client.post("/v1/clinic", data=LARGE, headers={"Content-Type": "application/json"})
    resource = (await stored.json())["id"]

    asked = [asyncio.create_task(ask(client, source, kind, resource)) for _ in range(ASKED)]

    async with asyncio.timeout(60):
        while sum(each.done() for each in asked) < ASKED - 2:
            await asyncio.sleep(0.02)
        refused = [each.result() for each in asked if each.done()]
        source.open.set()
        taken = [each for each in await asyncio.gather(*asked) if each not in refused]

    assert {(each.status, (await each.json())["code"]) for each in refused} == {(429, "overloaded")}
    assert all(int(each.headers["Retry-After"]) >= 1 for each in refused)
    assert [each.status for each in taken] == [200, 200]
    assert (await ask(client, source, kind, resource)).status == 200


async def test_the_room_comes_back_from_whoever_hangs_up(client: Client, source: Source) -> None:
    asked = [asyncio.create_task(ask(client, source, "file")) for _ in range(ASKED)]
    async with asyncio.timeout(60):
        while sum(each.done() for each in asked) < ASKED - 2:
            await asyncio.sleep(0.02)
        before = await client.post(ROUTE, json={"a": _file(), "b": _file()})

        for each in asked:
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

        while (await client.post(ROUTE, json={"a": _file(), "b": _file()})).status != 200:
            await asyncio.sleep(0.02)
    assert before.status == 429


def _file() -> dict[str, Any]:
    return {"type": "file", "path": "large.json"}


async def test_inputs_that_need_more_than_all_the_room_are_read_alone(start: Starter, tmp_path: Path) -> None:
    (tmp_path / "large.json").write_bytes(LARGE)
    client = await start(files_root=tmp_path, max_bodies_bytes=1_000)

    response = await client.post(ROUTE, json={"a": _file(), "b": _file()})

    assert (response.status, await response.json()) == (200, [])


async def test_a_job_is_not_refused_for_want_of_room(start: Starter) -> None:
    """Whoever carries jobs out is one of two, and counts what they hold against requests."""
    client = await start(max_bodies_bytes=1_000)
    body = msgspec.json.encode({"a": {"type": "inline", "value": "x" * 100_000}, "b": {"type": "inline", "value": 1}})

    accepted = await client.post(
        ROUTE, data=body[:-1] + b', "async": true}', headers={"Content-Type": "application/json"}
    )
    async with asyncio.timeout(60):
        while (state := await (await client.get(accepted.headers["Location"])).json())["jobStatus"] not in (
            "SUCCESS",
            "FAILED",
        ):
            await asyncio.sleep(0.05)

    assert state["jobStatus"] == "SUCCESS"
