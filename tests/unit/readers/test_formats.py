import codecs
import gzip

import pytest

from service.core import values
from service.errors import MalformedJsonError, TooDeepError
from service.model import Document
from service.readers.formats import format_of, to_json


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(Document(b""), "json", id="nothing said"),
        pytest.param(
            Document(b"", format="ndjson", media_type="text/yaml", name="x.json"), "ndjson", id="caller first"
        ),
        pytest.param(Document(b"", media_type="text/yaml", name="x.json"), "yaml", id="media type before suffix"),
        pytest.param(Document(b"", media_type="Application/YAML"), "yaml", id="case of the media type"),
        pytest.param(Document(b"", media_type="application/vnd.oai.openapi+yaml"), "yaml", id="yaml suffix"),
        pytest.param(Document(b"", media_type="application/geo+json", name="x.yml"), "json", id="json suffix"),
        pytest.param(Document(b"", media_type="application/x-ndjson"), "ndjson", id="ndjson"),
        pytest.param(Document(b"", media_type="text/plain", name="deploy.YML"), "yaml", id="file suffix"),
        pytest.param(Document(b"", media_type="application/octet-stream", name="log.jsonl"), "ndjson", id="jsonl"),
        pytest.param(Document(b"", name="yaml"), "yaml", id="name that is only a suffix"),
        pytest.param(Document(b"", name="x.txt"), "json", id="other suffix"),
    ],
)
def test_format_is_chosen(document: Document, expected: str) -> None:
    assert format_of(document) == expected


def test_json_is_handed_on_unread() -> None:
    assert to_json(Document(b'{"a" : 01}'), 100) == b'{"a" : 01}'


@pytest.mark.parametrize("charset", [None, "utf-8", "UTF8", "us-ascii"])
def test_byte_order_mark_of_utf8_is_dropped(charset: str | None) -> None:
    assert to_json(Document(codecs.BOM_UTF8 + b"1", charset=charset), 100) == b"1"


def test_single_byte_charset_is_read() -> None:
    assert to_json(Document('"é"'.encode("latin-1"), charset="ISO-8859-1"), 100) == '"é"'.encode()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("declared", [False, True])
def test_wide_encodings_are_refused_by_name(encoding: str, declared: bool) -> None:
    document = Document('{"a": 1}'.encode(encoding), charset=encoding if declared else None)

    with pytest.raises(MalformedJsonError, match="UTF-8"):
        to_json(document, 100)


def test_compressed_text_is_refused_by_name() -> None:
    with pytest.raises(MalformedJsonError, match="Content-Encoding: gzip"):
        to_json(Document(gzip.compress(b'{"a": 1}')), 100)


def test_unknown_charset_is_refused() -> None:
    with pytest.raises(MalformedJsonError, match="koi8-r"):
        to_json(Document(b"1", charset="koi8-r"), 100)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(b"", [], id="empty"),
        pytest.param(b'{"a": 1}\n[2]\n', [{"a": 1}, [2]], id="two lines"),
        pytest.param(b"1\r\n\r\n 2\r\n", [1, 2], id="windows line ends, blank line"),
        pytest.param(b"\n\n3", [3], id="no line end at the end"),
    ],
)
def test_lines_become_an_array(text: bytes, expected: list[object]) -> None:
    assert values.decode(to_json(Document(text, format="ndjson"), 100), max_depth=10) == expected


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        pytest.param(b"1\n1,2", 2, 2, id="two values on a line"),
        pytest.param(b'{"a":1}\n\n{"a":}', 3, 6, id="malformed"),
        pytest.param(b'{"a":\n1}', 1, 6, id="value over two lines"),
        pytest.param(b"1\nNaN", 2, 1, id="not a number"),
    ],
)
def test_fault_of_a_line_is_told_with_its_place(text: bytes, line: int, column: int) -> None:
    with pytest.raises(MalformedJsonError) as caught:
        to_json(Document(text, format="ndjson"), 100)

    assert (caught.value.violations[0].line, caught.value.violations[0].column) == (line, column)


def test_faults_found_later_keep_their_line() -> None:
    joined = to_json(Document(b'1\n\n{"a":1,"a":2}', format="ndjson"), 100)

    with pytest.raises(MalformedJsonError) as caught:
        values.check(joined, 10)

    assert caught.value.violations[0].line == 3


def test_line_nested_beyond_reading_is_left_to_whoever_reads_the_array() -> None:
    joined = to_json(Document(b"1\n" + b"[" * 100_000, format="ndjson"), 1_000_000)

    with pytest.raises(TooDeepError) as caught:
        values.check(joined, 3)

    assert caught.value.violations[0].pointer == "/1/0/0"
