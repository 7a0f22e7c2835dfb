import msgspec
import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from service.errors import ServiceError, SourceForbiddenError, SourceNotFoundError, SourceUnreachableError
from service.model import Document, Reading
from service.readers.client import Exchange, GuardedClient
from service.readers.guard import Guard
from service.readers.revalidation import OVERHEAD_BYTES, Revalidation
from service.readers.url import UrlReader, UrlSource
from tests.loopback import Names, Server, answer, redirect
from tests.unit.readers.conftest import Serve

READING = Reading(max_bytes=1000, timeout_s=30)


def make_reader(server: Server) -> UrlReader:
    return UrlReader(GuardedClient(Guard(["127.0.0.2"], [server.port]), Names()))


@pytest.mark.parametrize(
    ("content_type", "media_type", "charset"),
    [
        ("application/json", "application/json", None),
        ('Application/JSON; Charset="UTF-8"', "application/json", "UTF-8"),
        ("application/geo+json", "application/geo+json", None),
        ("text/yaml;charset=iso-8859-1", "text/yaml", "iso-8859-1"),
    ],
)
async def test_document_carries_what_the_server_says_of_it(
    serve: Serve, content_type: str, media_type: str, charset: str | None
) -> None:
    server = await serve(answer(b"1", f"Content-Type: {content_type}"))

    document = await make_reader(server).read(UrlSource(uri=server.url + "dir/a%20b.yml?x=1"), READING)

    assert document == Document(b"1", media_type, charset, None, "a b.yml")


async def test_document_without_type_and_name(serve: Serve) -> None:
    server = await serve(answer(b"1"))

    document = await make_reader(server).read(UrlSource(url=server.url, format="ndjson"), READING)

    assert document == Document(b"1", format="ndjson")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("404 Not Found", SourceNotFoundError),
        ("410 Gone", SourceNotFoundError),
        ("401 Unauthorized", SourceUnreachableError),
        ("403 Forbidden", SourceUnreachableError),
        ("204 No Content", SourceUnreachableError),
        ("206 Partial Content", SourceUnreachableError),
        ("304 Not Modified", SourceUnreachableError),
        ("429 Too Many Requests", SourceUnreachableError),
        ("500 Internal Server Error", SourceUnreachableError),
    ],
)
async def test_status_of_the_server_is_told(serve: Serve, status: str, error: type[ServiceError]) -> None:
    server = await serve(answer(b"", status=status))

    with pytest.raises(error, match=status[:3]):
        await make_reader(server).read(UrlSource(uri=server.url), READING)


async def test_authorization_is_sent(serve: Serve) -> None:
    server = await serve(answer())

    await make_reader(server).read(UrlSource(uri=server.url, authorization_header="Basic eDp5"), READING)

    assert "Authorization: Basic eDp5\r\n" in server.heads[0]


def test_credentials_do_not_show_in_the_source() -> None:
    source = UrlSource(uri="https://example.com/a?token=t0ken", authorization_header="Bearer s3cret")

    assert "ken" not in repr(source)
    assert "cret" not in repr(source)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"{}", id="no URL"),
        pytest.param(b'{"uri": "http://a.b", "url": "http://a.b"}', id="two URLs"),
        pytest.param(b'{"uri": "http://a.b", "authorizationHeader": "a\\r\\nX: y"}', id="line break in the header"),
        pytest.param(b'{"uri": "http://a.b", "authorizationHeader": "\xc3\xa9"}', id="not ASCII"),
        pytest.param(b'{"uri": "http://a.b", "authorizationHeader": ""}', id="empty header"),
        pytest.param(b'{"uri": "http://a.b", "authorization_header": "x"}', id="unknown spelling"),
    ],
)
def test_source_refuses(text: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=UrlSource)


async def test_guard_stands_before_the_reader(serve: Serve) -> None:
    server = await serve(answer(), "127.0.0.1")

    with pytest.raises(SourceForbiddenError):
        await make_reader(server).read(UrlSource(uri=server.url), READING)

    assert server.heads == []


# --- what is kept for the next time


def changing(head: str) -> bytes:
    if 'If-None-Match: "v1"' in head:
        return answer(b"", 'ETag: "v1"', status="304 Not Modified")
    return answer(b'"kept"', 'ETag: "v1"', "Content-Type: text/x-yaml")


async def test_unchanged_document_is_not_sent_twice(serve: Serve) -> None:
    server = await serve(changing)
    reader = make_reader(server)

    first = await reader.read(UrlSource(uri=server.url), READING)
    second = await reader.read(UrlSource(uri=server.url, format="json"), READING)

    assert (first.content, second.content, second.media_type) == (b'"kept"', b'"kept"', "text/x-yaml")
    assert ["If-None-Match" in head for head in server.heads] == [False, True]


async def test_changed_document_is_read_anew(serve: Serve) -> None:
    versions = iter([b'"1"', b'"2"'])
    server = await serve(lambda _head: answer(body := next(versions), f"ETag: {body.decode()}"))
    reader = make_reader(server)

    documents = [await reader.read(UrlSource(uri=server.url), READING) for _ in range(2)]

    assert [each.content for each in documents] == [b'"1"', b'"2"']
    assert 'If-None-Match: "1"' in server.heads[1]


async def test_what_needed_credentials_is_not_kept(serve: Serve) -> None:
    server = await serve(changing)
    reader = make_reader(server)

    await reader.read(UrlSource(uri=server.url, authorization_header="Bearer x"), READING)
    await reader.read(UrlSource(uri=server.url), READING)

    assert ["If-None-Match" in head for head in server.heads] == [False, False]


async def test_what_is_kept_holds_to_a_smaller_limit(serve: Serve) -> None:
    server = await serve(changing)
    reader = make_reader(server)
    await reader.read(UrlSource(uri=server.url), READING)

    with pytest.raises(ServiceError) as caught:
        await reader.read(UrlSource(uri=server.url), Reading(max_bytes=2, timeout_s=30))

    assert caught.value.code == "too-large"


async def test_redirected_document_is_not_kept(serve: Serve) -> None:
    server = await serve(lambda head: changing(head) if " /b " in head else redirect("/b"))
    reader = make_reader(server)

    for _ in range(2):
        await reader.read(UrlSource(uri=server.url), READING)

    assert not any("If-None-Match" in head for head in server.heads)


def exchange(content: bytes = b"x", status: int = 200, **headers: str) -> Exchange:
    named = CIMultiDictProxy(CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()}))
    return Exchange(status, named, content, Guard().target("http://example.com/"))


@pytest.mark.parametrize(
    ("answered", "is_kept"),
    [
        (exchange(ETag='"1"'), True),
        (exchange(ETag='W/"1"', Vary="Accept, Accept-Encoding", Cache_Control="no-cache"), True),
        (exchange(), False),
        (exchange(ETag='"1"', Cache_Control="private, No-Store"), False),
        (exchange(ETag='"1"', Vary="Cookie"), False),
        (exchange(ETag='"1"', Vary="*"), False),
        (exchange(ETag='"1"', status=404), False),
        (exchange(b"x" * 5000, ETag='"1"'), False),
        (exchange(ETag=f'"{"1" * 5000}"'), False),
    ],
)
def test_answer_is_kept_where_the_server_lets_it(answered: Exchange, is_kept: bool) -> None:
    kept = Revalidation(5000)

    kept.keep("u", answered)

    assert (kept.find("u") is not None) == is_kept


def test_kept_answers_are_bounded_and_the_least_used_goes_first() -> None:
    kept = Revalidation(2 * OVERHEAD_BYTES + 3000)
    for url in "ab":
        kept.keep(url, exchange(b"x" * 1000, ETag='"1"'))
    kept.find("a")

    kept.keep("c", exchange(b"x" * 1000, ETag='"1"'))

    assert [kept.find(url) is not None for url in "abc"] == [True, False, True]


def test_answer_that_may_no_longer_be_kept_drops_the_one_before() -> None:
    kept = Revalidation(5000)
    kept.keep("a", exchange(ETag='"1"'))

    kept.keep("a", exchange())

    assert kept.find("a") is None


def test_answers_of_one_byte_are_bounded_in_number() -> None:
    kept = Revalidation(100_000)

    for number in range(1000):
        kept.keep(f"u{number}", exchange(ETag='"1"', X_Long="y" * 5000))

    assert sum(kept.find(f"u{number}") is not None for number in range(1000)) == 100_000 // (OVERHEAD_BYTES + 10)
