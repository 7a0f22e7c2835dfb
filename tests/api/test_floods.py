"""Headers without end, and slow clients by the hundred: refused, or borne while others are served."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from tests.api.conftest import Sender, inline

Client = TestClient[web.Request, web.Application]
Starter = Callable[..., Awaitable[Client]]

REQUEST_LINE = b"POST /api/json/v1/patch HTTP/1.1\r\nHost: x\r\n"
SLOW_CLIENTS = 150
FLOODS = [
    pytest.param([b"X-%d: y\r\n" % number for number in range(5_000)], id="many"),
    pytest.param([b"X-A: y\r\n"] * 5_000, id="one-repeated"),
    pytest.param([b"X-A: " + b"y" * 100_000 + b"\r\n"], id="one-long-value"),
    pytest.param([b"X-" + b"y" * 100_000 + b": y\r\n"], id="one-long-name"),
    pytest.param([b"Authorization: Bearer " + b"y" * 100_000 + b"\r\n"], id="long-credentials"),
    pytest.param([b"Cookie: " + b"a=b; " * 20_000 + b"\r\n"], id="cookies"),
    pytest.param([b"X-A: y\r\n" + b" folded\r\n" * 5_000], id="folded"),
]


@pytest.mark.parametrize("lines", FLOODS)
async def test_a_flood_of_headers_is_refused(client: Client, send: Sender, lines: list[bytes]) -> None:
    answer = await send(client, REQUEST_LINE + b"".join(lines) + b"\r\n")

    assert answer.status in (400, 431)
    assert answer.closed
    assert (await client.get("/healthz")).status == 200


async def test_a_flood_in_the_request_line_is_refused(client: Client, send: Sender) -> None:
    answer = await send(client, b"GET /healthz?" + b"q" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")

    assert answer.status in (400, 414, 431)
    assert answer.closed


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(REQUEST_LINE + b"X-Slow: y", id="headers"),
        pytest.param(REQUEST_LINE + b"Content-Type: application/json\r\nContent-Length: 9999\r\n\r\n{", id="body"),
    ],
)
async def test_others_are_served_while_slow_clients_dribble(client: Client, sent: bytes) -> None:
    """Each sends a byte now and then and would go on for minutes; meanwhile normal requests get their answers."""

    async def dribble(writer: asyncio.StreamWriter) -> None:
        writer.write(sent[:-1])
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.5)

    opened = [await asyncio.open_connection(client.host, client.port) for _ in range(SLOW_CLIENTS)]
    slow = [asyncio.create_task(dribble(writer)) for _, writer in opened]
    try:
        await asyncio.sleep(0)
        answers = [await compare(client, number) for number in range(20)]
        assert not any(each.done() for each in slow)
        assert not any(reader.at_eof() for reader, _ in opened)
    finally:
        for each in slow:
            each.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        for _, writer in opened:
            writer.close()

    assert answers == [[{"op": "replace", "path": "", "value": number}] for number in range(20)]


async def compare(client: Client, number: int) -> Any:
    async with asyncio.timeout(60):
        response = await client.post("/api/json/v1/patch", json={"a": inline("before"), "b": inline(number)})
        return await response.json()
