"""Clients that are broken, slow or ill-disposed, byte by byte: never a 5xx, never a hang, and the service goes on."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

Client = TestClient[web.Request, web.Application]
Starter = Callable[..., Awaitable[Client]]
Sender = Callable[..., Awaitable[Any]]

BODY = b'{"a": {"type": "inline", "value": 1}, "b": {"type": "inline", "value": 1}}'


def head(*headers: bytes, method: bytes = b"POST", path: bytes = b"/api/json/v1/patch") -> bytes:
    """The head of a request in HTTP/1.1."""
    return b"\r\n".join([method + b" " + path + b" HTTP/1.1", b"Host: x", *headers, b"", b""])


def post(*headers: bytes, body: bytes = BODY) -> bytes:
    """A whole request with a JSON body and more headers."""
    return head(b"Content-Type: application/json", b"Content-Length: %d" % len(body), *headers) + body


CHUNKED = head(b"Content-Type: application/json", b"Transfer-Encoding: chunked")
FORM = head(b"Content-Type: multipart/form-data; boundary=xx", b"Content-Length: 100000")

STALLED = [
    pytest.param(head(b"Content-Type: application/json", b"Content-Length: 100"), id="no-body"),
    pytest.param(head(b"Content-Type: application/json", b"Content-Length: 100") + b'{"a"', id="half-a-body"),
    pytest.param(CHUNKED + b"5\r\nab", id="half-a-chunk"),
    pytest.param(FORM + b"--xx\r\nContent-Dispo", id="half-a-part-header"),
    pytest.param(FORM + b'--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\n[', id="half-a-part"),
    pytest.param(
        head(b"Content-Type: application/json", b"Content-Encoding: gzip", b"Content-Length: 100") + b"\x1f\x8b",
        id="half-a-gzip-header",
    ),
]

ODD_HEADERS = [
    pytest.param(b"X-Odd: \xff\xfe", id="bytes-that-are-not-text"),
    pytest.param(b"X-Request-Id: \xff", id="request-id-of-bytes"),
    pytest.param(b"X-Request-Id: a b; drop", id="request-id-with-spaces"),
    pytest.param(b"X-Request-Id: " + b"x" * 5000, id="request-id-endless"),
    pytest.param(b"traceparent: garbage", id="trace-garbage"),
    pytest.param(b"Cookie: \xff; a=b; =", id="cookie-garbage"),
    pytest.param(b"Range: bytes=zz", id="range-garbage"),
    pytest.param(b"If-Modified-Since: yesterday", id="date-garbage"),
    pytest.param(b"Connection: upgrade\r\nUpgrade: websocket", id="upgrade"),
    pytest.param(b"Accept: ,,;;,*/*", id="accept-with-gaps"),
    pytest.param(b"Forwarded: for=\xff", id="forwarded-garbage"),
]

MALFORMED = [
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00" + bytes(50), id="tls"),
    pytest.param(bytes(100) + b"\r\n\r\n", id="zeros"),
    pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="http-2"),
    pytest.param(b"GET /healthz HTTP/3.0\r\n\r\n", id="http-3"),
    pytest.param(head(method=b"FOO"), id="method-unknown"),
    pytest.param(head(method=b"get"), id="method-in-small-letters"),
    pytest.param(head(method=b"GET", path=b"/a b"), id="space-in-path"),
    pytest.param(head(method=b"GET", path=b"/\xff"), id="bytes-in-path"),
    pytest.param(head(method=b"GET", path=b"/" + b"x" * 20_000), id="endless-path"),
    pytest.param(head(b"X: " + b"y" * 9_000), id="endless-header"),
    pytest.param(head(*[b"X%d: y" % index for index in range(300)]), id="too-many-headers"),
    pytest.param(head(b"X: a\0b"), id="nul-in-header"),
    pytest.param(head(b"garbage"), id="header-without-colon"),
    pytest.param(head(b"X : y"), id="space-before-colon"),
    pytest.param(head(b"X: a", b" folded"), id="folded-header"),
    pytest.param(post(b"Content-Length: 5"), id="two-lengths"),
    pytest.param(post(b"Transfer-Encoding: chunked"), id="length-and-chunked"),
    pytest.param(post(b"Content-Type: text/plain"), id="two-content-types"),
    pytest.param(head(b"Content-Length: -5"), id="negative-length"),
    pytest.param(head(b"Content-Length: x"), id="length-not-a-number"),
    pytest.param(head(b"Content-Length: " + b"9" * 40), id="length-overflows"),
    pytest.param(CHUNKED + b"zz\r\n" + BODY, id="chunk-size-garbage"),
    pytest.param(CHUNKED + b"-5\r\nabcde\r\n", id="chunk-size-negative"),
    pytest.param(CHUNKED + b"5\r\nabcdefgh\r\n0\r\n\r\n", id="chunk-too-long"),
]

PATHS = [
    "/%ff", "/%", "/%zz", "//", "/..", "/%2e%2e/%2e%2e/etc/passwd", "/" + "x" * 7_000, "/healthz/",
    "/api/json/v3/patch",
    "/api/json/v1/comparisons/%ff", "/api/json/v1/comparisons/%00", "/api/json/v1/comparisons/%ed%a0%80",
    "/api/json/v1/comparisons/%2e%2e", "/api/json/v1/comparisons/" + "x" * 7_000, "/api/json/v1/comparisons/$where",
    "/docs/assets/%00.css", "/docs/assets/%2e%2e%2fx.css", "/docs/assets/" + "x" * 300 + ".css",
    "/docs/assets/__init__.py",
    "/problems/%ff", "/problems/nothing", "/problems/<script>",
]  # fmt: skip

METHODS = [
    pytest.param("OPTIONS", "/healthz", "GET,HEAD", id="options-on-get"),
    pytest.param("OPTIONS", "/api/json/v1/patch", "POST", id="options-on-post"),
    pytest.param("HEAD", "/api/json/v1/patch", "POST", id="head-on-post"),
    pytest.param("GET", "/api/json/v2/patch", "POST", id="get-on-post"),
    pytest.param("PATCH", "/readyz", "GET,HEAD", id="patch-on-get"),
    pytest.param("TRACE", "/healthz", "GET,HEAD", id="trace"),
]


@pytest.mark.parametrize("sent", STALLED)
async def test_a_client_that_stops_sending_is_told_after_a_while(start: Starter, send: Sender, sent: bytes) -> None:
    client = await start(body_timeout_s=0.2)

    answer = await send(client, sent)

    assert (answer.status, answer.problem["code"]) == (408, "request-timeout")
    assert "0.2 seconds" in answer.problem["detail"]
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("sent", [post(), FORM], ids=["json", "form"])
async def test_a_client_that_trickles_is_told_after_a_while(start: Starter, send: Sender, sent: bytes) -> None:
    """The time is for the whole body: single bytes that keep coming do not stretch it."""
    client = await start(body_timeout_s=0.3)
    before, _, after = sent.partition(b"\r\n\r\n")
    body = after or b"--xx\r\n" + b"x" * 70

    answer = await send(client, before + b"\r\n\r\n", *[bytes([byte]) for byte in body], pause_s=0.02)

    assert (answer.status, answer.problem["code"]) == (408, "request-timeout")


@pytest.mark.parametrize("sent", [b"", b"POST /api", head()[:-2]], ids=["nothing", "half-a-line", "no-end"])
async def test_a_connection_that_never_sends_its_headers_is_closed(start: Starter, send: Sender, sent: bytes) -> None:
    client = await start(keep_alive_s=0.2)

    answer = await send(client, *[bytes([byte]) for byte in sent], pause_s=0.01)

    assert (answer.status, answer.closed) == (0, True)


@pytest.mark.parametrize("odd", ODD_HEADERS)
async def test_odd_headers_do_no_harm(client: Client, send: Sender, odd: bytes) -> None:
    answer = await send(client, post(odd))

    assert (answer.status, answer.body) == (200, b"[]")
    assert len(answer.headers["x-request-id"]) == 36


async def test_a_sane_request_id_is_kept(client: Client, send: Sender) -> None:
    answer = await send(client, post(b"X-Request-Id: trace/42:a.b-c"))

    assert answer.headers["x-request-id"] == "trace/42:a.b-c"


@pytest.mark.parametrize("header", [b"Content-Type", b"Content-Encoding", b"Accept"])
async def test_a_header_of_bytes_is_refused_readably(client: Client, send: Sender, header: bytes) -> None:
    lines = {b"Content-Type": b"application/json", b"Content-Length": b"%d" % len(BODY), header: b"\xff/\xfe"}

    answer = await send(client, head(*[name + b": " + value for name, value in lines.items()]) + BODY)

    assert answer.status in (406, 415)
    json.dumps(answer.problem, ensure_ascii=False).encode()


async def test_a_part_named_by_bytes_is_refused_readably(client: Client, send: Sender) -> None:
    body = b'--xx\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n1\r\n--xx--\r\n'
    length = b"Content-Length: %d" % len(body)

    answer = await send(client, head(b"Content-Type: multipart/form-data; boundary=xx", length) + body)

    assert (answer.status, answer.problem["code"]) == (400, "invalid-multipart")


@pytest.mark.parametrize("sent", MALFORMED)
async def test_what_is_not_http_is_refused_and_the_connection_closed(client: Client, send: Sender, sent: bytes) -> None:
    """These never reach our code; `docs/errors.md` says what they get."""
    answer = await send(client, sent)

    assert (answer.status, answer.closed) == (400, True)
    assert (await client.get("/healthz")).status == 200


@pytest.mark.parametrize("expected", [b"miracles", b"\xff", b"100-continue, \xed\xa0\x80"])
async def test_an_unknown_expectation_is_refused(client: Client, send: Sender, expected: bytes) -> None:
    answer = await send(client, post(b"Expect: " + expected))

    assert (answer.status, answer.problem["code"]) == (417, "expectation-failed")
    assert answer.problem["detail"] == "The only expectation that is met is 100-continue."
    assert answer.headers["x-request-id"] == answer.problem["requestId"] != ""
    assert (await client.get(answer.problem["type"])).status == 200


@pytest.mark.parametrize(("method", "path"), [(b"GET", b"/nowhere"), (b"GET", b"/a%0Ab"), (b"DELETE", b"/healthz")])
async def test_an_unknown_expectation_is_refused_where_no_route_is(
    client: Client, send: Sender, method: bytes, path: bytes
) -> None:
    assert (await send(client, head(b"Expect: \xff", method=method, path=path))).status == 417


async def test_a_client_that_asks_first_is_told_to_go_on(client: Client) -> None:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    async with asyncio.timeout(60):
        writer.write(post(b"Expect: 100-continue").removesuffix(BODY))
        told = await reader.readuntil(b"\r\n\r\n")
        writer.write(BODY)
        answer = await reader.readline()
    writer.close()

    assert (told, answer) == (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\n")


async def test_a_client_that_asks_first_and_does_not_wait_is_answered(client: Client, send: Sender) -> None:
    assert (await send(client, post(b"Expect: 100-continue"))).status in (100, 200)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        pytest.param([b"Content-Type: application/json", b"Content-Length: 99999999999"], 413, id="too large"),
        pytest.param([b"Content-Type: image/png", b"Content-Length: 1000"], 415, id="of no known type"),
        pytest.param([b"Accept: image/png", b"Content-Type: application/json", b"Content-Length: 9"], 406, id="accept"),
    ],
)
async def test_a_client_that_asks_first_is_not_told_to_send_what_its_head_has_refused(
    client: Client, send: Sender, more: list[bytes], status: int
) -> None:
    answer = await send(client, head(*more, b"Expect: 100-continue"))

    assert (answer.status, answer.headers["connection"]) == (status, "close")


@pytest.mark.parametrize("path", PATHS)
async def test_a_path_that_leads_nowhere_is_not_found(client: Client, send: Sender, path: str) -> None:
    answer = await send(client, head(method=b"GET", path=path.encode()))

    assert (answer.status, answer.problem["code"]) == (404, "not-found")


@pytest.mark.parametrize("query", ["%ff=%ff", "a[]=1", "%00", "&&&===", "store=%ED%A0%80&x", "x" * 7_000])
async def test_a_query_of_garbage_does_no_harm(client: Client, send: Sender, query: str) -> None:
    answer = await send(client, head(method=b"GET", path=b"/healthz?" + query.encode()))

    assert answer.status == 200


@pytest.mark.parametrize(("method", "path", "allowed"), METHODS)
async def test_a_method_that_is_not_possible_is_refused_with_those_that_are(
    client: Client, method: str, path: str, allowed: str
) -> None:
    response = await client.request(method, path)

    assert (response.status, response.headers["Allow"]) == (405, allowed)
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.yaml", "/openapi.json", "/docs"])
async def test_head_answers_as_get_does_without_a_body(client: Client, path: str) -> None:
    of_get, of_head = await client.get(path), await client.head(path)

    assert (of_head.status, await of_head.read()) == (200, b"")
    assert of_head.headers["Content-Length"] == of_get.headers["Content-Length"]
    assert of_head.headers["Content-Type"] == of_get.headers["Content-Type"]


async def test_pipelined_requests_are_answered_in_turn(client: Client) -> None:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(
        post() + head(method=b"GET", path=b"/nowhere") + head(b"Connection: close", method=b"GET", path=b"/healthz")
    )

    answers = await asyncio.wait_for(reader.read(), 10)

    writer.close()
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"404", b"200"]


async def test_many_broken_clients_at_once_leave_the_service_whole(client: Client, send: Sender) -> None:
    answers = await asyncio.gather(*[send(client, CHUNKED + b"zz\r\n") for _ in range(50)])

    assert {answer.status for answer in answers} == {400}
    assert (await client.get("/healthz")).status == 200
