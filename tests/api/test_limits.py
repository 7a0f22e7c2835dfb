"""Limits, each at its edge and one above; and bodies that are compressed."""

import asyncio
import gzip
import io
import json
import resource
import tempfile
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

from tests.processes import Spawn

Client = TestClient[web.Request, web.Application]
Starter = Callable[..., Awaitable[Client]]

ROUTE = "/api/json/v1/patch"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=xx"}
EQUAL = b'{"a": {"type": "inline", "value": 1}, "b": {"type": "inline", "value": 1}}'


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def request_with(a: bytes) -> bytes:
    return b'{"a": {"type": "inline", "value": %s}, "b": {"type": "inline", "value": 1}}' % a


def form_of(*documents: tuple[str, bytes]) -> bytes:
    parts = (
        f'--xx\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.json"\r\n\r\n'.encode()
        + document
        + b"\r\n"
        for name, document in documents
    )
    return b"".join(parts) + b"--xx--\r\n"


async def post(client: Client, body: bytes, headers: dict[str, str]) -> ClientResponse:
    return await client.post(ROUTE, data=io.BytesIO(body), headers=headers)


async def refusal(response: ClientResponse) -> dict[str, Any]:
    """The one violation of a refusal, with the status beside it."""
    problem = await response.json(content_type="application/problem+json")
    (violation,) = problem["errors"]
    return {"status": response.status, **violation}


async def test_a_body_may_be_as_large_as_the_limit(start: Starter) -> None:
    client = await start(max_body_bytes=len(EQUAL))

    assert (await post(client, EQUAL, JSON)).status == 200


async def test_a_body_one_byte_above_the_limit_is_refused(start: Starter) -> None:
    client = await start(max_body_bytes=len(EQUAL) - 1)

    refused = await refusal(await post(client, EQUAL, JSON))

    assert (refused["status"], refused["code"]) == (413, "too-large")
    assert (refused["limit"], refused["maximum"]) == ("max_body_bytes", len(EQUAL) - 1)


async def test_a_body_of_unknown_length_is_counted_while_it_arrives(start: Starter) -> None:
    client = await start(max_body_bytes=len(EQUAL) - 1)

    async def trickle() -> Any:
        for byte in EQUAL:
            yield bytes([byte])

    refused = await refusal(await client.post(ROUTE, data=trickle(), headers=JSON))

    assert (refused["status"], refused["limit"]) == (413, "max_body_bytes")


@pytest.mark.parametrize("size", [100, 3_000_000], ids=["in-memory", "spooled"])
async def test_a_form_may_be_as_large_as_the_limit(start: Starter, size: int) -> None:
    body = form_of(("a", b'"' + b"x" * size + b'"'), ("b", b"1"))
    client = await start(max_body_bytes=len(body))

    assert (await post(client, body, FORM)).status == 200


@pytest.mark.parametrize("size", [100, 3_000_000], ids=["in-memory", "spooled"])
async def test_a_form_one_byte_above_the_limit_is_refused(start: Starter, size: int) -> None:
    body = form_of(("a", b'"' + b"x" * size + b'"'), ("b", b"1"))
    client = await start(max_body_bytes=len(body) - 1)

    refused = await refusal(await post(client, body, FORM))

    assert (refused["status"], refused["limit"], refused["maximum"]) == (413, "max_body_bytes", len(body) - 1)


@pytest.mark.parametrize("size", [1_000, 3_000_000], ids=["in-memory", "spooled"])
async def test_a_part_at_the_input_limit_is_taken_and_above_it_refused(start: Starter, size: int) -> None:
    client = await start(max_input_bytes=size)

    taken = await post(client, form_of(("a", b'"' + b"x" * (size - 2) + b'"'), ("b", b"1")), FORM)
    refused = await refusal(await post(client, form_of(("a", b'"' + b"x" * (size - 1) + b'"'), ("b", b"1")), FORM))

    assert taken.status == 200
    assert (refused["status"], refused["limit"], refused["part"]) == (413, "max_input_bytes", "a")


async def test_an_inline_document_at_the_input_limit_is_taken_and_above_it_refused(start: Starter) -> None:
    client = await start(max_input_bytes=100)

    taken = await post(client, request_with(b'"' + b"x" * 98 + b'"'), JSON)
    refused = await refusal(await post(client, request_with(b'"' + b"x" * 99 + b'"'), JSON))

    assert taken.status == 200
    assert (refused["status"], refused["code"], refused["input"]) == (413, "too-large", "a")
    assert refused["maximum"] == 100


@pytest.mark.parametrize("depth", [1, 5, 200])
async def test_nesting_at_the_limit_is_taken_and_above_it_refused(start: Starter, depth: int) -> None:
    client = await start(max_depth=depth)

    taken = await post(client, request_with(nested(depth)), JSON)
    refused = await refusal(await post(client, request_with(nested(depth + 1)), JSON))

    assert (taken.status, refused["status"], refused["code"]) == (200, 422, "too-deep")
    assert (refused["input"], refused["limit"], refused["maximum"]) == ("a", "max_depth", depth)
    assert refused["pointer"] == "/0" * depth


@pytest.mark.parametrize("depth", [1, 5, 200])
async def test_nesting_in_a_form_at_the_limit_is_taken_and_above_it_refused(start: Starter, depth: int) -> None:
    client = await start(max_depth=depth)

    taken = await post(client, form_of(("a", nested(depth)), ("b", b"1")), FORM)
    refused = await refusal(await post(client, form_of(("a", nested(depth + 1)), ("b", b"1")), FORM))

    assert (taken.status, refused["status"], refused["code"]) == (200, 422, "too-deep")
    assert (refused["input"], refused["limit"], refused["maximum"]) == ("a", "max_depth", depth)
    assert refused["pointer"] == "/0" * depth


async def test_parts_at_the_limit_are_taken_and_above_it_refused(start: Starter) -> None:
    client = await start(max_parts=2)

    taken = await post(client, form_of(("a", b"1"), ("b", b"1")), FORM)
    refused = await refusal(await post(client, form_of(("a", b"1"), ("b", b"1"), ("moves", b"true")), FORM))

    assert taken.status == 200
    assert (refused["status"], refused["limit"], refused["maximum"]) == (413, "max_parts", 2)


def raw_deflate(body: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(body) + deflate.flush()


COMPRESSED = [
    pytest.param(gzip.compress(EQUAL), "gzip", id="gzip"),
    pytest.param(gzip.compress(EQUAL), "GZip", id="gzip-capitals"),
    pytest.param(gzip.compress(EQUAL), "x-gzip", id="x-gzip"),
    pytest.param(gzip.compress(EQUAL[:9]) + gzip.compress(EQUAL[9:]), "gzip", id="gzip-members"),
    pytest.param(zlib.compress(EQUAL), "deflate", id="deflate"),
    pytest.param(raw_deflate(EQUAL), "deflate", id="deflate-raw"),
    pytest.param(EQUAL, "identity", id="identity"),
]

BROKEN = [
    pytest.param(EQUAL, "gzip", id="not-gzip"),
    pytest.param(gzip.compress(EQUAL)[:-1], "gzip", id="gzip-cut"),
    pytest.param(gzip.compress(EQUAL)[:4], "gzip", id="gzip-header-only"),
    pytest.param(gzip.compress(EQUAL)[:-8] + b"12345678", "gzip", id="gzip-checksum"),
    pytest.param(gzip.compress(EQUAL) + b"more", "gzip", id="gzip-garbage-behind"),
    pytest.param(b"\xff" * 50, "deflate", id="not-deflate"),
    pytest.param(zlib.compress(EQUAL)[:-1], "deflate", id="deflate-cut"),
]


@pytest.mark.parametrize(("body", "encoding"), COMPRESSED)
async def test_compressed_bodies_are_taken(client: Client, body: bytes, encoding: str) -> None:
    response = await post(client, body, JSON | {"Content-Encoding": encoding})

    assert (response.status, await response.json()) == (200, [])


async def test_a_compressed_form_is_taken(client: Client) -> None:
    body = gzip.compress(form_of(("a", b"1"), ("b", b"1")))

    assert (await post(client, body, FORM | {"Content-Encoding": "gzip"})).status == 200


@pytest.mark.parametrize(("body", "encoding"), BROKEN)
@pytest.mark.parametrize("headers", [JSON, FORM], ids=["json", "form"])
async def test_broken_compression_is_refused(
    client: Client, body: bytes, encoding: str, headers: dict[str, str]
) -> None:
    refused = await refusal(await post(client, body, headers | {"Content-Encoding": encoding}))

    assert (refused["status"], refused["code"]) == (400, "invalid-request")
    assert refused["field"] == "Content-Encoding"


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "é", "x" * 1000])
@pytest.mark.parametrize("headers", [JSON, FORM], ids=["json", "form"])
async def test_other_encodings_are_refused_with_those_understood(
    client: Client, encoding: str, headers: dict[str, str]
) -> None:
    response = await post(client, EQUAL, headers | {"Content-Encoding": encoding})

    assert response.status == 415
    assert response.headers["Accept-Encoding"] == "gzip, deflate"


def squeeze(body: bytes, encoding: str) -> bytes:
    return gzip.compress(body) if encoding == "gzip" else zlib.compress(body)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_compressed_body_is_counted_after_decompression(start: Starter, encoding: str) -> None:
    client = await start(max_body_bytes=10_000)
    blank = b" " * (10_000 - len(EQUAL))

    taken = await post(client, squeeze(blank + EQUAL, encoding), JSON | {"Content-Encoding": encoding})
    refused = await refusal(
        await post(client, squeeze(blank + b" " + EQUAL, encoding), JSON | {"Content-Encoding": encoding})
    )

    assert taken.status == 200
    assert (refused["status"], refused["limit"]) == (413, "max_body_bytes")


async def test_a_bomb_is_refused_before_it_goes_off(client: Client) -> None:
    bomb = gzip.compress(b" " * 300_000_000, 9)
    assert len(bomb) < 400_000

    refused = await refusal(await post(client, bomb, JSON | {"Content-Encoding": "gzip"}))

    assert (refused["status"], refused["limit"]) == (413, "max_body_bytes")


async def test_a_bomb_in_a_part_is_refused_before_it_goes_off(client: Client) -> None:
    bomb = gzip.compress(b" " * 300_000_000, 9)
    body = form_of(("a", bomb), ("b", b"1")).replace(b'"a.json"\r\n', b'"a.json"\r\nContent-Encoding: gzip\r\n')

    refused = await refusal(await post(client, body, FORM))

    assert (refused["status"], refused["limit"], refused["part"]) == (413, "max_input_bytes", "a")


async def until(client: Client, body: bytes, status: int) -> ClientResponse:
    """Send the body again and again until it is answered so."""
    async with asyncio.timeout(60):
        while (response := await post(client, body, JSON)).status != status:
            await asyncio.sleep(0.02)
    return response


@pytest.mark.parametrize("is_ended", [True, False], ids=["ended", "dropped"])
async def test_large_bodies_share_what_room_there_is(start: Starter, is_ended: bool) -> None:
    client = await start(max_bodies_bytes=1_000_000)
    body = request_with(b'"' + b"x" * 600_000 + b'"')
    head = f"POST {ROUTE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(head.encode() + body[:-1])

    refused = await until(client, body, 429)
    small = await post(client, EQUAL, JSON)
    if is_ended:
        writer.write(body[-1:])
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()

    assert (await refused.json())["code"] == "overloaded"
    assert int(refused.headers["Retry-After"]) >= 1
    assert small.status == 200
    await until(client, body, 200)


async def test_a_body_that_needs_more_than_all_the_room_is_taken_alone(start: Starter) -> None:
    client = await start(max_bodies_bytes=1_000)

    assert (await post(client, request_with(b'"' + b"x" * 600_000 + b'"'), JSON)).status == 200


def test_an_upload_that_the_disk_has_no_room_for_may_come_again(spawn_service: Spawn) -> None:
    service = spawn_service()
    resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (1_500_000, resource.RLIM_INFINITY))
    body = form_of(("a", b'"' + b"x" * 3_000_000 + b'"'), ("b", b"1"))

    with pytest.raises(HTTPError) as refused:
        urlopen(Request(service.url + ROUTE, body, FORM), timeout=30)  # noqa: S310 - its own URL

    with refused.value as answer:
        assert (answer.status, json.load(answer)["code"]) == (429, "overloaded")
    assert answer.headers["Retry-After"] == "10"
    assert [line["level"] for line in service.log() if "TMPDIR takes no uploads" in line["message"]] == ["error"]


async def test_a_form_without_a_place_to_wait_may_come_again(
    start: Starter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    client = await start()

    assert (await refusal(await post(client, form_of(("a", b"1"), ("b", b"1")), FORM)))["code"] == "overloaded"
