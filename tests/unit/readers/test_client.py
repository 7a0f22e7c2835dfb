import asyncio
import gzip
import json
import re
import socket
import zlib
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from service.errors import (
    SourceForbiddenError,
    SourceTimeoutError,
    SourceUnreachableError,
    TooLargeError,
)
from service.readers import client as client_module
from service.readers import pinning
from service.readers.client import Exchange, GuardedClient
from service.readers.guard import Guard, Target
from service.readers.resolver import SystemResolver
from tests.loopback import Names, Server, answer, redirect
from tests.unit.readers.conftest import Serve

HOSTILE = json.loads((Path(__file__).parents[2] / "cases" / "hostile-urls.json").read_text())["urls"]
OPEN = ("127.0.0.2", "127.0.0.3", "::1")
"""The addresses that the guard of these tests takes for public: 127.0.0.1 is not among them."""


def make_client(*servers: Server, names: Names | None = None, open_to: tuple[str, ...] = OPEN) -> GuardedClient:
    return GuardedClient(Guard(open_to, [server.port for server in servers]), names or Names())


async def get(client: GuardedClient, url: str, **more: Any) -> Exchange:
    return await client.request("GET", url, **{"max_bytes": 1000, "timeout_s": 30, "max_redirects": 5} | more)


@pytest.mark.parametrize("host", ["127.0.0.2", "127.0.0.3", "::1"])
async def test_document_of_a_literal_address_is_fetched(serve: Serve, host: str) -> None:
    server = await serve(answer(b"[1]", "Content-Type: application/json"), host)

    exchange = await get(make_client(server), server.url)

    assert (exchange.status, exchange.content, exchange.headers["Content-Type"]) == (200, b"[1]", "application/json")


async def test_request_names_the_host_and_asks_for_what_can_be_read(serve: Serve) -> None:
    server = await serve(answer())
    names = Names(a_example=[["127.0.0.2"]])

    await get(make_client(server, names=names), f"http://A.example.:{server.port}/x?y=%20#z")

    assert server.heads[0].startswith(f"GET /x?y=%20 HTTP/1.1\r\nHost: a.example:{server.port}\r\n")
    assert "Accept-Encoding: gzip, deflate\r\n" in server.heads[0]


async def test_connection_goes_to_the_address_that_was_checked(serve: Serve) -> None:
    """DNS rebinding: the first look-up is harmless, the second is not. There is no second."""
    good = await serve(answer(b'"good"'))
    names = Names(a_example=[["127.0.0.2"], ["127.0.0.1"]])

    exchange = await get(make_client(good, names=names), f"http://a.example:{good.port}/")

    assert (exchange.content, names.asked) == (b'"good"', ["a.example"])


async def test_name_that_changes_between_hops_is_judged_again(serve: Serve) -> None:
    server = await serve(redirect("/again"))
    names = Names(a_example=[["127.0.0.2"], ["127.0.0.1"]])

    with pytest.raises(SourceForbiddenError) as caught:
        await get(make_client(server, names=names), f"http://a.example:{server.port}/")

    assert "127.0.0.1" not in caught.value.detail


async def test_one_bad_address_among_good_ones_is_enough(serve: Serve) -> None:
    server = await serve(answer())
    names = Names(a_example=[["127.0.0.2", "10.0.0.1"]])

    with pytest.raises(SourceForbiddenError) as caught:
        await get(make_client(server, names=names), f"http://a.example:{server.port}/")

    assert server.heads == []
    assert "10.0.0.1" not in caught.value.detail


async def test_next_address_is_tried_when_one_refuses(serve: Serve) -> None:
    server = await serve(answer(b'"second"'), "127.0.0.3")
    names = Names(a_example=[["127.0.0.2", "127.0.0.3"]])

    exchange = await get(make_client(server, names=names), f"http://a.example:{server.port}/")

    assert exchange.content == b'"second"'


@pytest.mark.parametrize("case", [pytest.param(each, id=each["name"]) for each in HOSTILE])
async def test_no_hostile_url_comes_to_make_a_socket(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The connector records instead of connecting: a hole in the guard shows here, and nothing leaves."""
    made: list[Any] = []

    def record(_pin: object, info: Any) -> None:
        made.append(info)
        raise OSError("recorded")

    monkeypatch.setattr(pinning.Pin, "make_socket", record)
    client = GuardedClient(Guard(), Lookup(case.get("addresses", ["93.184.215.14"])))

    with pytest.raises(SourceForbiddenError):
        await get(client, case["url"])

    assert made == []


class Lookup:
    """Resolves whatever is asked to the same addresses."""

    def __init__(self, addresses: list[str]) -> None:
        self._names = Names(any=[addresses])

    async def addresses(self, _host: str) -> Any:
        return await self._names.addresses("any")


async def test_socket_for_another_address_is_never_made(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the connector ever look up by itself, the pin still holds."""
    server = await serve(answer(), "127.0.0.3")

    async def stray(*_: Any, **__: Any) -> Any:
        pin = pinning.Pin([ip_address("127.0.0.3")])
        return await pin.resolve("x", server.port)

    monkeypatch.setattr("aiohttp.TCPConnector._resolve_host", stray)

    with pytest.raises((SourceForbiddenError, SourceUnreachableError)):
        await get(make_client(server), f"http://127.0.0.2:{server.port}/")

    assert server.heads == []


async def test_unknown_host_is_told_without_the_resolvers_words(serve: Serve) -> None:
    server = await serve(answer())

    with pytest.raises(SourceUnreachableError, match=r"'a\.example' cannot be found") as caught:
        await get(make_client(server), f"http://a.example:{server.port}/")

    assert "10.0.0.53" not in caught.value.detail


# --- redirects


async def test_five_redirects_are_followed(serve: Serve) -> None:
    server = await serve(lambda head: answer(b'"end"') if " /5 " in head else redirect(str(int(head[5]) + 1)))

    exchange = await get(make_client(server), server.url + "0")

    assert (exchange.content, exchange.redirects, len(server.heads)) == (b'"end"', 5, 6)


async def test_sixth_redirect_is_refused(serve: Serve) -> None:
    server = await serve(redirect("/"))

    with pytest.raises(SourceForbiddenError, match="more than 5"):
        await get(make_client(server), server.url)

    assert len(server.heads) == 6


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_every_kind_of_redirect_is_followed(serve: Serve, status: str) -> None:
    server = await serve(lambda head: answer(b"1") if " /b " in head else redirect("b", status))

    assert (await get(make_client(server), server.url + "a")).content == b"1"


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("gopher://127.0.0.2/", id="gopher"),
        pytest.param("http://127.0.0.1:{port}/", id="literal"),
        pytest.param("//127.0.0.1:{port}/", id="literal without a scheme"),
        pytest.param("http://2130706433:{port}/", id="decimal literal"),
        pytest.param("http://[::ffff:127.0.0.1]:{port}/", id="mapped literal"),
        pytest.param("http://169.254.169.254:{port}/latest/meta-data/", id="metadata"),
        pytest.param("http://inside.example:{port}/", id="name of a private address"),
        pytest.param("http://user@127.0.0.2:{port}/", id="user info"),
        pytest.param("http://127.0.0.2:1/", id="another port"),
        pytest.param("http://[::1/", id="malformed"),
        pytest.param("//[::1/", id="malformed without a scheme"),
        pytest.param("http:///127.0.0.2/", id="three slashes"),
        pytest.param("http:b", id="scheme without a host"),
        pytest.param("http:\\\\127.0.0.1\\", id="backslashes"),
    ],
)
async def test_redirect_to_where_it_may_not_is_refused(serve: Serve, location: str) -> None:
    inside = await serve(answer(b'"secret"'), "127.0.0.1")
    server = await serve(redirect(location.format(port=inside.port)), "127.0.0.2", inside.port)

    with pytest.raises(SourceForbiddenError):
        await get(make_client(server, names=Names(inside_example=[["127.0.0.1"]])), server.url)

    assert (len(server.heads), inside.heads) == (1, [])


async def test_redirect_without_location_is_refused(serve: Serve) -> None:
    server = await serve(answer(b"", status="302 Found"))

    with pytest.raises(SourceUnreachableError, match="where to"):
        await get(make_client(server), server.url)


async def test_redirect_is_an_answer_where_none_are_followed(serve: Serve) -> None:
    server = await serve(redirect("http://127.0.0.1/"))

    exchange = await make_client(server).request("POST", server.url, body=b"x", max_bytes=100, timeout_s=30)

    assert exchange.status == 302


async def test_body_and_headers_are_sent(serve: Serve) -> None:
    server = await serve(answer(b""))

    await make_client(server).request(
        "POST", server.url, headers={"Webhook-Id": "m1"}, body=b"12345", max_bytes=100, timeout_s=30
    )

    assert "Webhook-Id: m1\r\n" in server.heads[0]
    assert "Content-Length: 5\r\n" in server.heads[0]


async def test_credentials_stay_within_their_origin(serve: Serve) -> None:
    server = await serve(lambda head: answer() if " /b " in head else redirect("/b"))

    await get(make_client(server), server.url, credentials={"Authorization": "Bearer s3cret"})

    assert ["s3cret" in head for head in server.heads] == [True, True]


@pytest.mark.parametrize("host", ["127.0.0.3", "127.0.0.2"])
async def test_credentials_never_reach_another_origin_nor_come_back(serve: Serve, host: str) -> None:
    """Another host, or another port of the same; the last hop leads back to where they came from."""
    pair: list[Server] = []
    pair.append(await serve(lambda head: answer() if " /back " in head else redirect(pair[1].url)))
    pair.append(await serve(lambda _head: redirect(pair[0].url + "back"), host))
    first, other = pair

    await get(make_client(first, other), first.url, credentials={"Authorization": "Bearer s3cret"})

    assert ["s3cret" in head for head in first.heads] == [True, False]
    assert ["s3cret" in head for head in other.heads] == [False]


async def test_cookies_are_not_kept(serve: Serve) -> None:
    first = answer(b"", "Location: /b", "Set-Cookie: id=1; Path=/", status="302 Found")
    server = await serve(lambda head: answer() if " /b " in head else first)

    await get(make_client(server, names=Names(a_example=[["127.0.0.2"]] * 2)), f"http://a.example:{server.port}/")

    assert "id=1" not in server.heads[1]


async def test_proxies_of_the_environment_are_not_used(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = await serve(answer(b"1"))
    proxy = await serve(answer(b"2"), "127.0.0.3")
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("http_proxy", proxy.url)

    assert (await get(make_client(server), server.url)).content == b"1"


# --- sizes and encodings


async def test_answer_at_the_limit_is_read(serve: Serve) -> None:
    server = await serve(answer(b"x" * 1000))

    assert len((await get(make_client(server), server.url)).content) == 1000


@pytest.mark.parametrize("status", ["302 Found", "404 Not Found", "500 Oops"])
async def test_body_of_what_is_no_success_is_not_read(serve: Serve, status: str) -> None:
    server = await serve([answer(b"", "Content-Length: 99999", "Location: /", status=status), 60.0])

    exchange = await get(make_client(server), server.url, max_redirects=0)

    assert (exchange.status, exchange.content) == (int(status[:3]), b"")


async def test_answer_that_nobody_wants_to_read_counts_by_its_status(serve: Serve) -> None:
    """A webhook is delivered when its receiver says so, however much it says."""
    server = await serve([answer(b"", "Content-Length: 99999999999", "Content-Encoding: br"), 60.0])

    exchange = await get(make_client(server), server.url, max_bytes=None)

    assert (exchange.status, exchange.content) == (200, b"")


async def test_answer_that_says_it_is_too_large_is_not_read(serve: Serve) -> None:
    server = await serve([answer(b"", "Content-Length: 1001"), 60.0])

    with pytest.raises(TooLargeError):
        await get(make_client(server), server.url)


async def test_answer_that_grows_too_large_stops_being_read(serve: Serve) -> None:
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    server = await serve([answer(b"", "Transfer-Encoding: chunked"), *[piece] * 1000])

    with pytest.raises(TooLargeError):
        await get(make_client(server), server.url)

    assert server.sent < 30_000_000


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"[1, 2]")),
        ("GZIP", gzip.compress(b"[1,") + gzip.compress(b" 2]")),
        ("x-gzip", gzip.compress(b"[1, 2]")),
        ("deflate", zlib.compress(b"[1, 2]")),
        ("identity", b"[1, 2]"),
    ],
    ids=["gzip", "two members", "x-gzip", "deflate", "identity"],
)
async def test_encoded_answer_is_read(serve: Serve, encoding: str, body: bytes) -> None:
    server = await serve(answer(body, f"Content-Encoding: {encoding}"))

    assert (await get(make_client(server), server.url)).content == b"[1, 2]"


async def test_gzip_bomb_is_refused_at_the_limit(serve: Serve) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    server = await serve(answer(bomb, "Content-Encoding: gzip"))

    with pytest.raises(TooLargeError):
        await get(make_client(server), server.url, max_bytes=len(bomb))


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("gzip", gzip.compress(b"[1, 2]" * 100)[:-9], id="ends early"),
        pytest.param("gzip", b"not gzip at all", id="not gzip"),
        pytest.param("gzip", gzip.compress(b"1") + b"junk", id="more after the end"),
        pytest.param("deflate", b"\xff\xff\xff", id="not deflate"),
        pytest.param("br", b"\x0b\x02\x80", id="not asked for"),
        pytest.param("gzip, gzip", gzip.compress(gzip.compress(b"1")), id="twice"),
    ],
)
async def test_answer_that_cannot_be_decompressed_is_the_sources_fault(
    serve: Serve, encoding: str, body: bytes
) -> None:
    server = await serve(answer(body, f"Content-Encoding: {encoding}"))

    with pytest.raises(SourceUnreachableError):
        await get(make_client(server), server.url)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([answer(b"[1,", "Content-Length: 100")], id="shorter than it says"),
        pytest.param([answer(b"5\r\nabc", "Transfer-Encoding: chunked")], id="closes inside a chunk"),
        pytest.param([answer(b"zz\r\nabc\r\n", "Transfer-Encoding: chunked")], id="malformed chunk"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Le"], id="closes inside the head"),
        pytest.param([b""], id="closes at once"),
        pytest.param([b"SSH-2.0-OpenSSH_9.6\r\n"], id="not HTTP"),
        pytest.param([answer(b"", "Content-Length: -1")], id="negative length"),
        pytest.param([answer(b"{}", "Content-Length: 2", "Content-Length: 3")], id="two lengths"),
        pytest.param([answer(b"", "X: " + "y" * 100_000)], id="long header"),
    ],
)
async def test_answer_that_breaks_off_is_the_sources_fault(serve: Serve, script: list[bytes | float]) -> None:
    server = await serve(lambda _head: script)

    with pytest.raises(SourceUnreachableError) as caught:
        await get(make_client(server), server.url)

    assert "127.0.0.2" not in caught.value.detail
    assert len(server.heads) == 1, "it is asked once"


async def test_announced_answer_is_read(serve: Serve) -> None:
    server = await serve(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3 + answer(b"[1]"))

    assert (await get(make_client(server), server.url)).content == b"[1]"


async def test_answer_that_is_announced_again_and_again_is_the_sources_fault(serve: Serve) -> None:
    """Nothing else has its turn while announcements are read: waiting for the answer would hold up everybody."""
    server = await serve([b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 60.0])

    with pytest.raises(SourceUnreachableError):
        await get(make_client(server), server.url)


async def test_refused_connection_is_the_sources_fault(serve: Serve) -> None:
    server = await serve(answer())
    names = Names(a_example=[["127.0.0.3"]])

    with pytest.raises(SourceUnreachableError) as caught:
        await get(make_client(server, names=names), f"http://a.example:{server.port}/")

    assert not re.search(r"127\.|errno", caught.value.detail, re.IGNORECASE)


# --- time


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([600.0], id="no head"),
        pytest.param([b"HTTP/1.1 200 OK\r\n", 600.0], id="half a head"),
        pytest.param([answer(b"[", "Content-Length: 9"), 600.0], id="no body"),
        pytest.param([answer(b"", "Content-Length: 900"), *[b" ", 0.05] * 900], id="a byte at a time"),
    ],
)
async def test_slow_server_is_left_in_time(serve: Serve, script: list[bytes | float]) -> None:
    server = await serve(lambda _head: script)

    with pytest.raises(SourceTimeoutError):
        await get(make_client(server), server.url, timeout_s=0.5)


async def test_time_is_for_all_hops_together(serve: Serve) -> None:
    server = await serve(lambda _head: [0.3, redirect("/")])

    with pytest.raises(SourceTimeoutError):
        await get(make_client(server), server.url, timeout_s=0.5)


async def test_slow_look_up_is_left_in_time(serve: Serve) -> None:
    class Hanging:
        async def addresses(self, _host: str) -> Any:
            await asyncio.Event().wait()

    server = await serve(answer())

    with pytest.raises(SourceTimeoutError):
        await get(GuardedClient(Guard(OPEN, [server.port]), Hanging()), f"http://a.b:{server.port}/", timeout_s=0.1)


async def test_host_that_does_not_accept_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue of connections that is full: one more is never answered."""
    monkeypatch.setattr(pinning, "CONNECT_TIMEOUT_S", 0.2)
    with ExitStack() as opened:
        full = opened.enter_context(socket.create_server(("127.0.0.2", 0), backlog=0))
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        port = full.getsockname()[1]

        with pytest.raises(SourceTimeoutError):
            await get(GuardedClient(Guard(OPEN, [port]), Names()), f"http://127.0.0.2:{port}/")


def test_url_that_two_parsers_read_differently_is_refused() -> None:
    with pytest.raises(SourceForbiddenError, match="two ways"):
        client_module._url(Target("http", "a@b.example", 80, "/"))


async def test_system_resolver_knows_this_machine() -> None:
    assert {str(each) for each in await SystemResolver().addresses("127.0.0.1")} == {"127.0.0.1"}
