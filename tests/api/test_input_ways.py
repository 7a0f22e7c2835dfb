"""One pair of documents, sent in every way that the contract knows: the answer is the same, on both engines."""

import base64
import gzip
import http.client
import json
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.modelling import in_many_runs
from tests.processes import Spawn

ROUTE = "/api/json/v2/patch"
SOURCE = "application/vnd.patchbay.source+json"
NAMES = ("a", "b")
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "identity": bytes,
    "gzip": lambda content: gzip.compress(content, mtime=0),
    "x-gzip": lambda content: b"".join(
        gzip.compress(content[at : at + size], mtime=0)
        for size in [1 + len(content) % 7]
        for at in range(0, len(content), size)
    ),
    "deflate": zlib.compress,
    "Deflate": lambda content: zlib.compress(content)[2:-4],
}
"""What `Content-Encoding` may say, and how a client does it. Each of several members of gzip is read as a piece."""

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = st.text(CHARACTERS, max_size=6) | st.sampled_from(["", "1", "null", "yes", "a: b", "- x", "# y", "\u2028\x85"])
SCALARS = (
    st.sampled_from([None, True, False, 0, -1, 10**30, 0.5, 1e300, -1.5e-7]) | st.integers(-(2**60), 2**60) | TEXTS
)
MEMBERS = st.sampled_from(["n", "x", "", "~/", "m.n", "$s", "\u00e9", "key with space", "1"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(MEMBERS, inner, max_size=4),
    max_leaves=12,
)
FAULTS = [
    b'{"n": 1, "n": 2}',
    b"[1,",
    b'{"n": NaN}',
    b'["\\ud800"]',
    b"[1] 2",
    b'{"n": "\xff"}',
    b"[1e400]",
    b"[" * 201 + b"]" * 201,
    b'{"n": 01}',
    b'["a\nb"]',
]


class Doc(NamedTuple):
    """A document as JSON; `value` is what it holds, `...` where it is none."""

    text: bytes
    value: Any


Pages = dict[str, tuple[bytes, dict[str, str]]]
"""What a server answers: content and headers by path."""


class Places:
    """Where documents can be put beside the request: files below a root, pages of a server, resources."""

    def __init__(self, root: Path, pages: Pages, url: str, store: http.client.HTTPConnection) -> None:
        self._root, self._pages, self._url, self._store = root, pages, url, store
        self._count = 0

    def file(self, content: bytes, suffix: str) -> str:
        self._count += 1
        name = f"{self._count}{suffix}"
        (self._root / name).write_bytes(content)
        return name

    def page(self, content: bytes, suffix: str, headers: dict[str, str]) -> str:
        self._count += 1
        path = f"/{self._count}{suffix}"
        self._pages[path] = (content, headers)
        return self._url + path

    def resource(self, value: dict[str, Any]) -> str:
        self._store.request("POST", "/v1/note", json.dumps(value), {"Content-Type": "application/json"})
        answer = self._store.getresponse()
        shown = json.loads(answer.read())
        assert answer.status == 201, shown
        return str(shown["id"])


@contextmanager
def serve(pages: Pages) -> Iterator[int]:
    """A server on loopback, and its port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:  # the name is the library's
            content, headers = pages[self.path]
            self.send_response(302 if "Location" in headers else 200)
            chunked = headers.get("Transfer-Encoding") == "chunked"
            for name, value in (
                headers.items() if chunked else (headers | {"Content-Length": str(len(content))}).items()
            ):
                self.send_header(name, value)
            self.end_headers()
            pieces = [content[at : at + 7] for at in range(0, len(content), 7)]
            self.wfile.write(
                b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in [*pieces, b""]) if chunked else content
            )

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.2", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def yaml_of(value: Any, indent: str = "") -> str:
    """Write YAML in blocks, all strings in quotes."""
    match value:
        case dict() if value:
            rows = (f"{quoted(name)}: {yaml_of(each, indent + '  ')}" for name, each in value.items())
        case list() if value:
            rows = (f"- {yaml_of(each, indent + '  ')}" for each in value)
        case str():
            return quoted(value)
        case _:
            return json.dumps(value)
    return "".join(f"\n{indent}{row}" for row in rows)


def quoted(text: str) -> str:
    plain = ("".join(chr(each) for each in range(0x20, 0x7F))).translate({ord(each): None for each in '"\\'})
    return '"' + "".join(each if each in plain else f"\\U{ord(each):08x}" for each in text) + '"'


def lines_of(value: list[Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\r\n\n" for each in value)


# --- how a document is sent


def spellings(doc: Doc) -> st.SearchStrategy[tuple[str, bytes]]:
    """A format in which the document can be written, and the text."""
    known = [("json", doc.text)]
    if doc.value is not ...:
        known += [("json", b"\xef\xbb\xbf \n" + doc.text), ("yaml", yaml_of(doc.value).encode())]
    if isinstance(doc.value, list):
        known.append(("ndjson", lines_of(doc.value)))
    return st.sampled_from(known)


def media_types(kind: str) -> st.SearchStrategy[str]:
    return st.sampled_from(
        {
            "json": ["application/json", "application/json; charset=utf-8", "application/geo+json", "text/json"],
            "yaml": ["application/yaml", 'text/yaml; charset="UTF-8"', "application/vnd.oai.openapi+yaml"],
            "ndjson": ["application/x-ndjson", "application/jsonl"],
        }[kind]
    )


def suffixes(kind: str) -> st.SearchStrategy[str]:
    return st.sampled_from(
        {"json": [".json", ".txt", ""], "yaml": [".yaml", ".YML"], "ndjson": [".ndjson", ".jsonl"]}[kind]
    )


@st.composite
def sources(draw: st.DrawFn, doc: Doc, places: Places) -> dict[str, Any]:
    """An I/O object that is the document."""
    kind, text = draw(spellings(doc))
    ways = ["file", "http", "url"]
    ways += ["raw"] if decodes(text) else []
    ways += ["inline"] if doc.value is not ... else []
    ways += ["resource"] if isinstance(doc.value, dict) else []
    way = draw(st.sampled_from(ways))
    said = draw(st.booleans())
    form = {"format": kind} if said else {}
    match way:
        case "inline":
            return {"type": "inline", "value": doc.value}
        case "raw":
            return {"type": "raw", "value": text.decode(), "format": kind}
        case "resource":
            return {"type": "resource", "id": places.resource(doc.value)}
        case "file":
            name = draw(st.sampled_from(["path", "uri"]))
            return {"type": "file", name: places.file(text, "" if said else draw(suffixes(kind))), **form}
    encoding = draw(st.sampled_from(list(ENCODERS)))
    typed = {"Content-Type": draw(media_types(kind))} if draw(st.booleans()) else {}
    headers = typed | ({"Content-Encoding": encoding} if encoding else {})
    headers |= {"Transfer-Encoding": "chunked"} if draw(st.booleans()) else {}
    url = places.page(ENCODERS[encoding](text), "" if said or typed else draw(suffixes(kind)), headers)
    if draw(st.booleans()):
        url = places.page(b"moved", "", {"Location": urlsplit(url).path})
    return {"type": way, draw(st.sampled_from(["uri", "url"])): url, **form}


def decodes(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


@st.composite
def parts(draw: st.DrawFn, name: str, doc: Doc, places: Places) -> bytes:
    """A part of a form that is the document."""
    kind, text = draw(spellings(doc))
    way = draw(st.sampled_from(["text", "typed", "file", "older", "source", "path", "url"]))
    disposition, headers = f'form-data; name="{name}"', []
    match way:
        case "text":
            text = doc.text
            headers = draw(
                st.sampled_from([[], ["Content-Type: text/plain"], ["content-type: text/plain; charset=utf-8"]])
            )
        case "typed":
            headers = [f"Content-Type: {draw(media_types(kind))}"]
        case "file" | "older":
            file = draw(st.sampled_from(["x", "a;b;c", "\u00fc"])) + draw(suffixes(kind))
            disposition = f'file; {name}="{file}"' if way == "older" else f'{disposition}; filename="{file}"'
            headers = draw(st.sampled_from([[], ["Content-Type: application/octet-stream"]]))
        case "source":
            text = json.dumps(draw(sources(doc, places))).encode()
            headers = [f"Content-Type: {SOURCE}"]
        case "path":
            text = places.file(text, {"json": ".json", "yaml": ".yml", "ndjson": ".jsonl"}[kind]).encode()
        case _:
            text = places.page(text, "", {"Content-Type": draw(media_types(kind))}).encode() + b"\n"
    encoding = draw(st.sampled_from(list(ENCODERS)))
    text = ENCODERS[encoding](text)
    headers = [*headers, *([f"Content-Encoding: {encoding}"] if encoding else [])]
    transfer = draw(st.sampled_from(["", "binary", "8bit", "base64"]))
    text = base64.encodebytes(text) if transfer == "base64" else text
    headers += [f"Content-Transfer-Encoding: {transfer}"] if transfer else []
    return part_of([f"Content-Disposition: {disposition}", *headers], text)


def part_of(headers: list[str], content: bytes) -> bytes:
    return "\r\n".join(headers).encode() + b"\r\n\r\n" + content


# --- how a request is sent


class Request(NamedTuple):
    media_type: str
    body: bytes


@st.composite
def json_requests(draw: st.DrawFn, docs: tuple[Doc, Doc], options: dict[str, Any], places: Places) -> Request:
    spelled = draw(st.sampled_from([NAMES, ("A", "B")]))
    members = [(name, draw(sources(doc, places))) for name, doc in zip(spelled, docs, strict=True)]
    members = draw(st.permutations([*members, *options.items()]))
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    media_type = draw(st.sampled_from(["application/json", "Application/JSON; charset=utf-8"]))
    return Request(media_type, mark + json.dumps(dict(members), ensure_ascii=draw(st.booleans())).encode())


@st.composite
def form_requests(draw: st.DrawFn, docs: tuple[Doc, Doc], options: dict[str, Any], places: Places) -> Request:
    spelled = draw(st.sampled_from([NAMES, ("A", "B")]))
    made = [draw(parts(name, doc, places)) for name, doc in zip(spelled, docs, strict=True)]
    for name, value in options.items():
        text = value if isinstance(value, str) and draw(st.booleans()) else json.dumps(value)
        kind = draw(st.sampled_from([[], ["Content-Type: application/json"], ["Content-Type: text/plain"]]))
        mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
        made.append(part_of([f'Content-Disposition: form-data; name="{name}"', *kind], mark + text.encode()))
    boundary = draw(st.sampled_from(["x", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "=_'()+,-./:?" + "b" * 58]))
    line = f"--{boundary}".encode()
    body = b"".join(line + b"\r\n" + each + b"\r\n" for each in draw(st.permutations(made))) + line + b"--"
    body = draw(st.sampled_from([b"", b"\r\n", b"before\r\n"])) + body + draw(st.sampled_from([b"", b"\r\n", b"\r\nx"]))
    return Request(f'multipart/form-data; boundary="{boundary}"', body)


def send(
    service: http.client.HTTPConnection, request: Request, encoding: str = "", cuts: list[int] | None = None
) -> tuple[int, Any]:
    """Send a request in pieces or whole, as it is or compressed."""
    body = ENCODERS[encoding](request.body)
    headers = {"Content-Type": request.media_type} | ({"Content-Encoding": encoding} if encoding else {})
    if cuts is None:
        service.request("POST", ROUTE, body, headers)
    else:
        edges = sorted({0, len(body), *(each % len(body) for each in cuts)})
        pieces = [body[start:end] for start, end in pairwise(edges)]
        service.request("POST", ROUTE, iter(pieces), headers, encode_chunked=True)
    answer = service.getresponse()
    return answer.status, json.loads(answer.read())


def told(answer: tuple[int, Any]) -> Any:
    """What must be the same however a document was sent: the patch, or the refusal and its place in the document."""
    status, body = answer
    if status == 200:
        return json.dumps(body)
    assert body["detail"].startswith("Input '"), body
    fault = body["errors"][0]
    return status, body["code"], [fault.get(name) for name in ("input", "line", "column", "pointer")]


@in_many_runs
def test_every_way_gives_the_same_answer(spawn_service: Spawn, tmp_path: Path, examples: int) -> None:
    root = tmp_path / "files"
    root.mkdir()
    pages: Pages = {}
    with serve(pages) as port, ExitStack() as opened:
        allowed = {"files_root": root, "url_allow": "127.0.0.2", "url_ports": port}
        urls = [spawn_service(engine=engine, **allowed).url for engine in ("auto", "python")]
        connections = [http.client.HTTPConnection(urlsplit(url).netloc, timeout=60) for url in [*urls, urls[0]]]
        *services, store = (opened.enter_context(closing(each)) for each in connections)
        places = Places(root, pages, f"http://127.0.0.2:{port}", store)

        @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
        @given(st.data())
        def hold(data: st.DataObject) -> None:
            values = data.draw(st.tuples(VALUES, VALUES), label="documents")
            docs = [Doc(json.dumps(each, ensure_ascii=False).encode(), each) for each in values]
            if data.draw(st.integers(0, 3)) == 0:
                docs[data.draw(st.integers(0, 1))] = Doc(data.draw(st.sampled_from(FAULTS)), ...)
            pair = (docs[0], docs[1])
            options = data.draw(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "patchDirection": st.sampled_from(["aToB", "bToA"]),
                        "dxConfig": st.just({"dxConfig": [{"ignoreChanges": "delete", "key": "x"}]}),
                        "invertible": st.just(True),
                    },
                ),
                label="options",
            )
            plain = Request("multipart/form-data; boundary=x", plain_form(pair, options))
            expected = [told(send(each, plain)) for each in services]
            for _ in range(8):
                make = data.draw(st.sampled_from([json_requests, form_requests]))
                request = data.draw(make(pair, options, places), label="request")
                encoding = data.draw(st.sampled_from(list(ENCODERS)), label="encoding")
                cuts = data.draw(st.none() | st.lists(st.integers(0, 2000), max_size=12), label="cuts")
                assert [told(send(each, request, encoding, cuts)) for each in services] == expected

        hold()


def plain_form(docs: tuple[Doc, Doc], options: dict[str, Any]) -> bytes:
    """The simplest form: two uploads and the options as JSON."""
    made = [
        part_of([f'Content-Disposition: form-data; name="{name}"; filename="{name}.json"'], doc.text)
        for name, doc in zip(NAMES, docs, strict=True)
    ]
    made += [
        part_of([f'Content-Disposition: form-data; name="{name}"'], json.dumps(value).encode())
        for name, value in options.items()
    ]
    return b"".join(b"--x\r\n" + each + b"\r\n" for each in made) + b"--x--\r\n"
