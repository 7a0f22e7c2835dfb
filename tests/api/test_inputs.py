"""Inputs of every type, mixed in one request; what is left of them afterwards."""

import asyncio
import gzip
import io
import json
import tempfile
import tracemalloc
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from tests.loopback import Server, answer, redirect

Client = TestClient[web.Request, web.Application]
Starter = Callable[..., Awaitable[Client]]

ROUTE = "/api/json/v1/patch"
FORM = {"Content-Type": "multipart/form-data; boundary=xx"}
PATCH = [{"op": "replace", "path": "/n", "value": 2}]
SOURCE = "application/vnd.patchbay.source+json"
BOM = b"\xef\xbb\xbf"


def part(name: str, content: bytes, *headers: str, file: str | None = None) -> bytes:
    named = f'form-data; name="{name}"' + (f'; filename="{file}"' if file else "")
    lines = [f"Content-Disposition: {named}", *headers]
    return b"--xx\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + content + b"\r\n"


async def send(client: Client, *parts: bytes) -> tuple[int, Any]:
    response = await client.post(ROUTE, data=io.BytesIO(b"".join(parts) + b"--xx--\r\n"), headers=FORM)
    return response.status, await response.json(content_type=None)


async def compare(client: Client, a: Any, b: Any) -> tuple[int, Any]:
    response = await client.post(ROUTE, json={"a": a, "b": b})
    return response.status, await response.json(content_type=None)


@pytest.fixture(name="root")
def make_root(tmp_path: Path) -> Path:
    root = tmp_path / "files"
    root.mkdir()
    (root / "one.json").write_text('{"n": 1}')
    (root / "two.yml").write_text("n: 2\n")
    return root


@pytest.fixture(name="server")
async def serve_two() -> AsyncIterator[Server]:
    async with Server("127.0.0.2", lambda _head: answer(b'{"n": 2}', "Content-Type: application/json")) as server:
        yield server


@pytest.fixture(name="open_client")
async def start_open_service(start: Starter, root: Path, server: Server) -> Client:
    """A client of a service that may read the root and the server."""
    return await start(files_root=root, url_allow=("127.0.0.2",), url_ports=(server.port,))


ONE = {
    "inline": {"type": "inline", "value": {"n": 1}},
    "raw": {"type": "raw", "value": '{"n": 1}'},
    "raw yaml": {"type": "raw", "value": "n: 1", "format": "yaml"},
    "file": {"type": "file", "path": "one.json"},
    "file by uri": {"type": "file", "uri": "./one.json"},
}


@pytest.mark.parametrize("one", [pytest.param(source, id=name) for name, source in ONE.items()])
@pytest.mark.parametrize("kind", ["http", "url"])
async def test_every_type_compares_with_a_url(open_client: Client, server: Server, one: Any, kind: str) -> None:
    assert await compare(open_client, one, {"type": kind, "uri": server.url}) == (200, PATCH)


@pytest.mark.parametrize(
    ("sent", "passed_on"),
    [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", True),
        ("garbage", False),
        (None, False),
    ],
)
async def test_the_trace_context_is_passed_on(
    open_client: Client, server: Server, sent: str | None, passed_on: bool
) -> None:
    request = {"a": {"type": "http", "uri": server.url}, "b": {"type": "inline", "value": 1}}

    answer = await open_client.post(ROUTE, json=request, headers={"traceparent": sent} if sent else {})

    assert answer.status == 200
    given = [line.partition(": ")[2] for line in server.heads[-1].splitlines() if line.startswith("traceparent")]
    assert given == ([sent] if passed_on else [])


async def test_file_in_yaml_compares_with_a_file_in_json(open_client: Client) -> None:
    sources = [{"type": "file", "path": path} for path in ("one.json", "two.yml")]

    assert await compare(open_client, *sources) == (200, PATCH)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(part("a", b'{"n": 1}', file="a.json"), id="upload"),
        pytest.param(part("a", b'\xef\xbb\xbf{"n": 1}', file="a.json"), id="upload with a byte order mark"),
        pytest.param(part("a", b"n: 1", file="a.yaml"), id="YAML by its file name"),
        pytest.param(part("a", b"n: 1", "Content-Type: application/yaml"), id="YAML by its type"),
        pytest.param(part("a", b'{"n": 1}', "Content-Type: application/json"), id="document by its type"),
        pytest.param(part("a", b' {"n": 1}'), id="document by how it begins"),
        pytest.param(part("a", b"one.json"), id="path"),
        pytest.param(part("a", b"one.json", "Content-Type: text/plain"), id="path typed as text"),
        pytest.param(part("a", b'{"type": "file", "path": "one.json"}', f"Content-Type: {SOURCE}"), id="I/O object"),
        pytest.param(
            part("a", gzip.compress(b'{"n": 1}'), "Content-Encoding: gzip", file="a.json"), id="compressed part"
        ),
        pytest.param(
            part("a", zlib.compress(b"n: 1"), "Content-Encoding: deflate", "Content-Type: text/yaml"),
            id="compressed YAML",
        ),
        pytest.param(
            part("a", b64encode(b'{"n": 1}'), "Content-Transfer-Encoding: base64", file="a.json"), id="base64"
        ),
        pytest.param(
            b'--xx\r\nContent-Disposition: file; a="in.json"\r\nContent-Type: application/json\r\n\r\n{"n": 1}\r\n',
            id="older disposition",
        ),
        pytest.param(
            b'--xx\r\nContent-Disposition: file; a="in.yml"\r\n\r\nn: 1\r\n', id="older disposition with YAML"
        ),
    ],
)
async def test_kinds_mix_in_one_form(open_client: Client, server: Server, first: bytes) -> None:
    assert await send(open_client, first, part("b", server.url.encode())) == (200, PATCH)


@pytest.mark.parametrize(
    "file",
    [
        pytest.param("a;b;c.yml", id="semicolons"),
        pytest.param('a; name=\\"b\\"; c.yml', id="escaped quotes"),
        pytest.param("C:\\dir\\a=1;b;.yml", id="path of Windows"),
        pytest.param("\u00fc \u200b;;.yml", id="not ASCII"),
    ],
)
@pytest.mark.parametrize(
    "form", ['form-data; name="a"; filename="{}"', 'form-data; filename="{}";name=a;', 'file; a="{}"']
)
async def test_a_file_may_have_any_name(client: Client, form: str, file: str) -> None:
    upload = f"--xx\r\nContent-Disposition: {form.format(file)}\r\n\r\nn: 1\r\n".encode()

    assert await send(client, upload, part("b", b'{"n": 2}')) == (200, PATCH)


@pytest.mark.parametrize("name", ["filename*=undefined''x", "filename*=idna''x", "x*0=a; x*=b"])
async def test_a_name_in_an_encoding_that_is_none_is_refused(client: Client, name: str) -> None:
    upload = f'--xx\r\nContent-Disposition: form-data; name="a"; {name}\r\n\r\n1\r\n'.encode()

    status, problem = await send(client, upload, part("b", b"1"))

    assert (status, problem["code"]) == (400, "invalid-multipart")


@pytest.mark.parametrize("size", [1, 2, 3, 5, 70])
async def test_base64_is_read_however_it_is_cut(client: Client, size: int) -> None:
    """Each member of the compressed body is a piece of it, as a packet would be that comes alone."""
    coded = b64encode(zlib.compress(b'{"n": 1}'))
    first = part("a", coded, "Content-Transfer-Encoding: base64", "Content-Encoding: deflate", file="a.json")
    form = first + part("b", b'{"n": 2}') + b"--xx--\r\n"
    body = b"".join(gzip.compress(form[at : at + size]) for at in range(0, len(form), size))

    response = await client.post(ROUTE, data=io.BytesIO(body), headers=FORM | {"Content-Encoding": "gzip"})

    assert (response.status, await response.json()) == (200, PATCH)


@pytest.mark.parametrize("disposition", ['file; patchDirection="way.txt"', 'patchDirection; filename="way.txt"'])
async def test_an_option_may_have_the_older_disposition_too(open_client: Client, disposition: str) -> None:
    option = f"--xx\r\nContent-Disposition: {disposition}\r\n\r\nbToA\r\n".encode()

    assert await send(open_client, part("a", b"1"), part("b", b"2"), option) == (
        200,
        [{"op": "replace", "path": "", "value": 1}],
    )


@pytest.mark.parametrize(
    "option",
    [
        pytest.param(part("dxConfig", BOM + b'[{"ignoreChanges": "delete", "key": "m"}]'), id="list"),
        pytest.param(part("dxConfig", BOM + b'{"dxConfig": []}', file="dx.json"), id="wrapped in a file"),
        pytest.param(part("patchDirection", BOM + b"aToB\r\n"), id="text"),
        pytest.param(part("moves", BOM + b"true"), id="flag"),
    ],
)
async def test_an_option_may_begin_with_a_byte_order_mark(client: Client, option: bytes) -> None:
    assert await send(client, part("a", b'{"n": 1}'), part("b", b'{"n": 2}'), option) == (200, PATCH)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(part("a", BOM + b"one.json"), id="path"),
        pytest.param(part("a", BOM + b'{"type": "file", "path": "one.json"}', f"Content-Type: {SOURCE}"), id="object"),
    ],
)
async def test_what_names_a_source_may_begin_with_a_byte_order_mark(open_client: Client, first: bytes) -> None:
    assert await send(open_client, first, part("b", b'{"n": 2}')) == (200, PATCH)


@pytest.mark.parametrize("content", [b"utf-8", b"x" * 100])
async def test_part_of_a_browser_that_is_not_known_is_named(client: Client, content: bytes) -> None:
    """Browsers fill a hidden field of this name (RFC 7578, section 4.6)."""
    status, problem = await send(client, part("_charset_", content), part("a", b"1"), part("b", b"1"))

    assert (status, problem["code"], problem["errors"][0]["part"]) == (400, "invalid-multipart", "_charset_")


async def test_form_whose_lines_end_without_cr_is_told_so(client: Client) -> None:
    form = b"".join([part("a", b"1"), part("b", b"2"), b"--xx--"]).replace(b"\r\n", b"\n")

    response = await client.post(ROUTE, data=io.BytesIO(form), headers=FORM)

    problem = await response.json()
    assert (response.status, problem["code"], problem["errors"][0]["part"]) == (400, "invalid-multipart", "a")
    assert "end in CRLF" in problem["detail"]


@pytest.mark.parametrize("path", ["2024.json", "-old.json", "1", "null.json", "01"])
async def test_a_text_part_that_is_no_json_literal_is_a_path(open_client: Client, root: Path, path: str) -> None:
    is_literal = path == "1"
    (root / path).write_text('{"n": 1}')
    expected = [{"op": "replace", "path": "", "value": {"n": 2}}] if is_literal else PATCH

    assert await send(open_client, part("a", path.encode()), part("b", b'{"n": 2}')) == (200, expected)


@pytest.mark.parametrize("text", [b" 1e5\n", b"-0.5", b"9" * 4200, b" true ", b"null" + b" " * 5_000])
async def test_a_text_part_that_is_a_json_literal_is_the_document(client: Client, text: bytes) -> None:
    assert await send(client, part("a", text), part("b", text.strip(), file="b.json")) == (200, [])


async def test_parts_may_be_spelled_as_members_may(client: Client) -> None:
    parts = [part("A", b'{"n": 1}'), part("B", b'{"n": 2}')]

    assert await send(client, *parts) == (200, PATCH)


@pytest.mark.parametrize("lead", [b"\xef\xbb\xbf", b" " * 200, b"\n" * 2_000, b" " * 9_000])
async def test_large_text_part_is_a_document_by_how_it_begins(client: Client, lead: bytes) -> None:
    assert await send(client, part("a", lead + LARGE), part("b", LARGE)) == (200, [])


@pytest.mark.parametrize(
    "source",
    [
        pytest.param({"value": "[" + "a," * 1_500_000 + "]", "format": "yaml"}, id="yaml"),
        pytest.param({"value": "1\n" * 6_000_000, "format": "ndjson"}, id="lines"),
    ],
)
async def test_converting_is_bounded_in_time(start: Starter, source: dict[str, str]) -> None:
    """It takes more than ten seconds of the processor, which other requests do not have to wait for."""
    client = await start(diff_timeout_s=0.5)
    body = json.dumps({"a": {"type": "raw", **source}, "b": {"type": "inline", "value": 1}}).encode()

    response = await client.post(ROUTE, data=io.BytesIO(body), headers={"Content-Type": "application/json"})

    problem = await response.json()
    assert (response.status, problem["code"], problem["errors"][0]["input"]) == (422, "too-complex", "a")
    assert (await client.get("/healthz")).status == 200


async def test_lines_of_json_are_an_array(client: Client) -> None:
    parts = [part("a", b"1\n2\n", file="a.ndjson"), part("b", b"[1]", file="b.json")]

    assert await send(client, *parts) == (200, [{"op": "remove", "path": "/1"}])


async def test_upload_is_named_by_an_io_object(client: Client) -> None:
    """The part `b` holds an I/O object that names the part `a`, read as YAML this time."""
    named = json.dumps({"type": "upload", "part": "a", "format": "yaml"}).encode()

    assert await send(client, part("a", b"[1]", file="a.json"), part("b", named, f"Content-Type: {SOURCE}")) == (
        200,
        [],
    )


@pytest.mark.parametrize(
    ("bad", "place"),
    [
        pytest.param(part("b", b"{\n  x}", file="b.json"), (2, 3), id="json"),
        pytest.param(part("b", b"a: 1\nb: [", file="b.yml"), (3, 1), id="yaml"),
        pytest.param(part("b", b"a: 1\nb:\n - 1e400", file="b.yml"), (3, 4), id="number in YAML"),
        pytest.param(part("b", b"a: 1\nb: " + b"1" * 4300, file="b.yml"), (2, 4), id="integer in YAML"),
        pytest.param(part("b", b"1\n\n{", file="b.jsonl"), (3, 2), id="lines"),
        pytest.param(part("b", b'{"a":1,\n"a":2}'), (2, 1), id="repeated name"),
    ],
)
async def test_fault_is_told_with_input_line_and_column(client: Client, bad: bytes, place: tuple[int, int]) -> None:
    status, problem = await send(client, part("a", b"1"), bad)

    fault = problem["errors"][0]
    assert (status, problem["code"], fault["input"]) == (400, "invalid-json", "b")
    assert (fault["line"], fault["column"]) == place


async def test_too_deep_line_is_told_by_its_place(client: Client) -> None:
    status, problem = await send(client, part("a", b"1\n" + b"[" * 5000, file="a.jsonl"), part("b", b"1"))

    assert (status, problem["code"], problem["errors"][0]["input"]) == (422, "too-deep", "a")
    assert problem["errors"][0]["pointer"].startswith("/1/0/0/")


@pytest.mark.parametrize("depth", [51, 59, 300])
async def test_too_deep_document_in_an_io_object_is_told_by_the_limit_for_documents(start: Starter, depth: int) -> None:
    client = await start(max_depth=50)
    source = b'{"type": "inline", "value": ' + b"[" * depth + b"]" * depth + b"}"

    answers = [
        await send(client, part("a", source, f"Content-Type: {SOURCE}"), part("b", b"1")),
        await compare(client, json.loads(source), ONE["inline"]),
    ]

    for status, problem in answers:
        fault = problem["errors"][0]
        assert (status, problem["code"], fault["input"], fault["maximum"]) == (422, "too-deep", "a", 50)
        assert fault["pointer"] == "/0" * 50


async def test_bytes_that_a_charset_does_not_have_are_refused(client: Client) -> None:
    """Nothing takes their place in silence."""
    bad = part("a", b'"\x80\n\x81"', "Content-Type: application/json; charset=windows-1252")

    status, problem = await send(client, bad, part("b", b"1"))

    assert (status, problem["code"], problem["errors"][0]["input"]) == (400, "invalid-json", "a")
    assert (problem["errors"][0]["line"], "'windows-1252'" in problem["detail"]) == (2, True)


@pytest.mark.parametrize("engine", ["auto", "python"])
@pytest.mark.parametrize(
    ("encode", "told"),
    [
        pytest.param(lambda text: text.encode("utf-16"), "UTF-8", id="UTF-16 with its mark"),
        pytest.param(lambda text: text.encode("utf-16-le"), "UTF-8", id="UTF-16"),
        pytest.param(lambda text: text.encode("utf-32-be"), "UTF-8", id="UTF-32"),
        pytest.param(lambda text: gzip.compress(text.encode()), "Content-Encoding: gzip", id="gzip"),
    ],
)
async def test_body_of_another_encoding_is_refused_by_name(
    start: Starter, engine: str, encode: Callable[[str], bytes], told: str
) -> None:
    client = await start(engine=engine)

    for path in (ROUTE, "/v1/note"):
        response = await client.post(path, data=encode('{"a": 1}'), headers={"Content-Type": "application/json"})

        problem = await response.json()
        assert (response.status, problem["code"]) == (400, "invalid-json")
        assert told in problem["detail"]


async def test_utf16_is_refused_by_name(client: Client) -> None:
    status, problem = await send(client, part("a", "1".encode("utf-16"), file="a.json"), part("b", b"1"))

    assert (status, problem["code"], problem["errors"][0]["input"]) == (400, "invalid-json", "a")
    assert "UTF-8" in problem["detail"]


@pytest.mark.parametrize(
    ("source", "status", "code"),
    [
        pytest.param({"type": "file", "path": "absent.json"}, 422, "source-not-found", id="no file"),
        pytest.param({"type": "file", "path": "../x"}, 403, "source-forbidden", id="path"),
        pytest.param({"type": "http", "uri": "http://127.0.0.1/"}, 403, "source-forbidden", id="URL"),
        pytest.param({"type": "http", "uri": "http://127.0.0.2:1/"}, 403, "source-forbidden", id="port"),
        pytest.param({"type": "upload", "part": "c"}, 422, "source-not-found", id="part"),
        pytest.param({"type": "file"}, 400, "invalid-request", id="no path"),
        pytest.param({"type": "url", "uri": "x", "url": "y"}, 400, "invalid-request", id="two URLs"),
    ],
)
async def test_refused_source_names_its_input(open_client: Client, source: Any, status: int, code: str) -> None:
    answered, problem = await compare(open_client, ONE["inline"], source)

    assert (answered, problem["code"], problem["errors"][0]["input"]) == (status, code, "b")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        pytest.param({"type": "raw", "value": "1", "format": "toml"}, "; it takes: json, ndjson, yaml.", id="format"),
        pytest.param({"type": "raw", "value": "1", "formt": "yaml"}, "'formt'; known: value, format.", id="member"),
        pytest.param({"type": "raw", "value": 1}, "Expected 'str', got 'int' - at 'value'.", id="type"),
    ],
)
async def test_what_an_input_takes_is_told(client: Client, source: Any, told: str) -> None:
    status, problem = await compare(client, ONE["inline"], source)

    assert (status, problem["code"]) == (400, "invalid-request")
    assert problem["detail"].endswith(told)


async def test_url_text_in_a_form_is_guarded(client: Client) -> None:
    status, problem = await send(client, part("a", b"http://169.254.169.254/latest/"), part("b", b"1"))

    assert (status, problem["code"]) == (403, "source-forbidden")


async def test_redirected_document_is_not_taken_for_the_one_before(start: Starter) -> None:
    """An ETag says something of the URL that it was sent with, and of no other."""
    moved = asyncio.Event()

    def script(head: str) -> bytes:
        if "If-None-Match" in head and "/new" in head:
            return answer(b"", status="304 Not Modified")
        if moved.is_set() and "/new" not in head:
            return redirect("/new")
        return answer(b"2" if moved.is_set() else b"1", 'ETag: "1"')

    async with Server("127.0.0.2", script) as server:
        client = await start(url_allow=("127.0.0.2",), url_ports=(server.port,))
        source = {"type": "http", "uri": server.url}

        before = await compare(client, {"type": "inline", "value": 1}, source)
        moved.set()
        after = await compare(client, {"type": "inline", "value": 1}, source)

    assert (before, after) == ((200, []), (200, [{"op": "replace", "path": "", "value": 2}]))


@pytest.mark.parametrize(
    ("tail", "asked"),
    [
        ("?u=http%3A%2F%2Fx%3Fy%3D1&s=%2B%3D", "/?u=http%3A%2F%2Fx%3Fy%3D1&s=%2B%3D"),
        ("%61/%7E%2F//b;c", "/%61/%7E%2F//b;c"),
        ("a[1]?b={c}|d#e", "/a[1]?b={c}|d"),
        ("50%?b", "/50%?b"),
        ("\u00e9?\u00fc", "/%C3%A9?%C3%BC"),
    ],
)
async def test_url_is_asked_for_as_it_is_written(open_client: Client, server: Server, tail: str, asked: str) -> None:
    """What a server has signed is good as it was signed; what no request may hold is percent-encoded."""
    status, _ = await compare(open_client, {"type": "http", "uri": server.url + tail}, ONE["inline"])

    assert (status, server.heads[0].split(" ")[1]) == (200, asked)


@pytest.mark.parametrize("tag", ["*", "", '"a", "b"', '"a\x01b"', '"\xff"', "bare", '"' + "x" * 20_000 + '"'])
async def test_what_is_no_entity_tag_is_not_asked_for_again(start: Starter, tag: str) -> None:
    bodies = iter([b"1", b"2"])

    def script(head: str) -> bytes:
        return (
            answer(b"", status="304 Not Modified") if "If-None-Match" in head else answer(next(bodies), f"ETag: {tag}")
        )

    async with Server("127.0.0.2", script) as server:
        client = await start(url_allow=("127.0.0.2",), url_ports=(server.port,))
        source = {"type": "http", "uri": server.url}

        statuses = [await compare(client, {"type": "inline", "value": value}, source) for value in (1, 2)]

    assert statuses == [(200, []), (200, [])]


@pytest.mark.parametrize("header", ["Content-Security-Policy: default-src ", "Set-Cookie: a=", "Link: "])
async def test_server_may_send_long_headers(start: Starter, header: str) -> None:
    async with Server("127.0.0.2", lambda _head: answer(b"1", header + "x" * 30_000)) as server:
        client = await start(url_allow=("127.0.0.2",), url_ports=(server.port,))

        assert await compare(client, {"type": "http", "uri": server.url}, {"type": "inline", "value": 1}) == (200, [])


async def test_redirect_is_followed_as_it_is_written(start: Starter) -> None:
    """Servers send a path beyond ASCII in bytes of their own."""
    async with Server("127.0.0.2", lambda head: answer(b"1") if "%E9" in head else redirect("/\u00e9?%2F")) as server:
        client = await start(url_allow=("127.0.0.2",), url_ports=(server.port,))

        outcome = await compare(client, {"type": "http", "uri": server.url}, {"type": "inline", "value": 1})

    assert (outcome, server.heads[1].split(" ")[1]) == ((200, []), "/%E9?%2F")


async def test_credentials_reach_the_host_and_nothing_else(
    open_client: Client, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    source = {"type": "http", "uri": server.url + "?token=t0ken", "authorizationHeader": "Bearer s3cret"}

    status, _ = await compare(open_client, ONE["inline"], source)

    assert (status, "Authorization: Bearer s3cret\r\n" in server.heads[0]) == (200, True)
    assert not {"s3cret", "t0ken"} & set(caplog.text.replace('"', " ").split())


async def test_inputs_are_read_at_the_same_time(start: Starter) -> None:
    """Each server answers only when the other has been asked too."""
    asked = {"127.0.0.2": asyncio.Event(), "127.0.0.3": asyncio.Event()}

    async def wait_for_both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked[writer.get_extra_info("sockname")[0]].set()
        await asyncio.gather(*(each.wait() for each in asked.values()))
        writer.write(answer(b"1"))
        await writer.drain()
        writer.close()

    servers = [await asyncio.start_server(wait_for_both, host, 0) for host in asked]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    client = await start(url_allow=("127.0.0.0/8",), url_ports=tuple(ports), url_timeout_s=30)
    sources = [{"type": "http", "uri": f"http://{host}:{port}/"} for host, port in zip(asked, ports, strict=True)]

    outcome = await compare(client, *sources)
    for server in servers:
        server.close()

    assert outcome == (200, [])


async def test_first_failure_ends_the_other_input(start: Starter) -> None:
    """The other server never answers: only an ended request lets the service answer before its time is over."""
    closed = asyncio.Event()

    async def wait_for_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        closed.set()
        writer.close()

    server = await asyncio.start_server(wait_for_the_end, "127.0.0.2", 0)
    port = server.sockets[0].getsockname()[1]
    client = await start(url_allow=("127.0.0.2",), url_ports=(port,), url_timeout_s=100)

    status, problem = await compare(
        client, {"type": "http", "uri": f"http://127.0.0.2:{port}/"}, {"type": "file", "path": "x"}
    )
    async with asyncio.timeout(30):
        await closed.wait()
    server.close()

    assert (status, problem["errors"][0]["input"]) == (403, "b")


# --- spooling


@pytest.fixture(name="spool")
def watch_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, alone for the test."""
    folder = tmp_path / "spool"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def count_bytes(folder: Path) -> int | None:
    """Give how much lies in the folder, None where it is empty."""
    if not list(folder.iterdir()):
        return None
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


LARGE = b'"' + b"x" * 3_000_000 + b'"'


@pytest.mark.parametrize(
    ("second", "status"),
    [
        pytest.param(part("b", LARGE, file="b.json"), 200, id="compared"),
        pytest.param(part("b", b"{", file="b.json"), 400, id="refused after reading"),
        pytest.param(part("c", b"1"), 400, id="refused while reading"),
    ],
)
async def test_nothing_is_left_after_the_answer(client: Client, spool: Path, second: bytes, status: int) -> None:
    answered, _ = await send(client, part("a", LARGE, file="a.json"), second)

    assert (answered, count_bytes(spool)) == (status, None)


async def test_nothing_is_left_of_an_upload_that_broke_off(client: Client, spool: Path) -> None:
    _, writer = await asyncio.open_connection(client.host, client.port)
    head = (
        f"POST {ROUTE} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM['Content-Type']}\r\nContent-Length: 9000000\r\n\r\n"
    )
    writer.write(head.encode() + part("a", LARGE, file="a.json")[:-100])
    await writer.drain()
    async with asyncio.timeout(60):
        while not count_bytes(spool):
            await asyncio.sleep(0.01)

        writer.transport.abort()

        while count_bytes(spool) is not None:
            await asyncio.sleep(0.01)


async def test_large_upload_passes_by_memory(client: Client, spool: Path) -> None:
    """32 MiB on their way to the disk: never more than a few pieces are held at once."""
    piece = b" " * 65536
    peaks: list[tuple[int, int]] = []

    async def body() -> AsyncIterator[bytes]:
        yield part("a", b"", file="a.json")[:-2]
        for number in range(511):
            yield piece
            if number == 10:
                tracemalloc.start()
        peaks.append((count_bytes(spool) or 0, tracemalloc.get_traced_memory()[1]))
        tracemalloc.stop()
        yield b"1\r\n" + part("b", b"1") + b"--xx--\r\n"

    response = await client.post(ROUTE, data=body(), headers=FORM)

    ((spooled, peak),) = peaks
    assert (response.status, await response.json()) == (200, [])
    assert spooled > 20_000_000
    assert peak < 4_000_000
