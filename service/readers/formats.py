"""From the text of a document to JSON in UTF-8: which format it is in, its character set, lines of JSON, YAML."""

from contextlib import suppress

import msgspec

from service.core import fault
from service.errors import MalformedJsonError
from service.model import Document, Format
from service.readers.yaml_text import yaml_to_json

_BY_MEDIA_TYPE: dict[str, Format] = {
    "application/json": "json",
    "text/json": "json",
    "application/yaml": "yaml",
    "application/x-yaml": "yaml",
    "text/yaml": "yaml",
    "text/x-yaml": "yaml",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-jsonlines": "ndjson",
}
_BY_MEDIA_SUFFIX: dict[str, Format] = {"json": "json", "yaml": "yaml"}
_BY_FILE_SUFFIX: dict[str, Format] = {
    "json": "json",
    "yaml": "yaml",
    "yml": "yaml",
    "ndjson": "ndjson",
    "jsonl": "ndjson",
}
_UTF8 = {"utf-8", "utf8", "us-ascii", "ascii"}
_SINGLE_BYTE = {"iso-8859-1": "latin-1", "latin1": "latin-1", "windows-1252": "cp1252"}
_BOM = b"\xef\xbb\xbf"


def format_of(document: Document) -> Format:
    """Choose the format: what the caller says, else the media type, else the name's suffix, else JSON.

    >>> format_of(Document(b"a: 1", media_type="text/plain", name="deploy.yml"))
    'yaml'
    """
    media_type = (document.media_type or "").lower()
    file_suffix = (document.name or "").rpartition(".")[2].lower()
    return (
        document.format
        or _BY_MEDIA_TYPE.get(media_type)
        or _BY_MEDIA_SUFFIX.get(media_type.rpartition("+")[2])
        or _BY_FILE_SUFFIX.get(file_suffix)
        or "json"
    )


def is_json(document: Document) -> bool:
    """Tell whether the document is JSON in UTF-8 by what is said of it: then there is nothing to convert."""
    return format_of(document) == "json" and (document.charset or "utf-8").lower() in _UTF8


def to_json(document: Document, max_bytes: int) -> bytes:
    """Give the document as JSON text in UTF-8, not above `max_bytes`; JSON itself is handed on unread.

    Raises `MalformedJsonError` with line and column, `TooLargeError` where aliases make a YAML text grow beyond.
    """
    content = _to_utf8(document)
    match format_of(document):
        case "yaml":
            return yaml_to_json(content, max_bytes)
        case "ndjson":
            return _join_lines(content)
        case _:
            return content


def _to_utf8(document: Document) -> bytes:
    content = document.content
    if (error := fault.find_encoding(content)) is not None:
        raise error
    charset = (document.charset or "utf-8").lower()
    if charset in _UTF8 or content.startswith(_BOM):
        return content.removeprefix(_BOM)
    if charset in _SINGLE_BYTE:
        return _from_single_bytes(content, charset)
    raise MalformedJsonError(f"The text is declared as {charset[:40]!r}; send it as UTF-8.")


def _from_single_bytes(content: bytes, charset: str) -> bytes:
    try:
        return content.decode(_SINGLE_BYTE[charset]).encode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        detail = f"The text is declared as {charset!r}, and has a byte at line {line} that is no character of it."
        raise MalformedJsonError(detail, line=line) from error


def _join_lines(content: bytes) -> bytes:
    """Make an array of the lines that hold a value; line numbers stay, for the errors of whoever reads it."""
    joined = bytearray(b"[")
    separator = b""
    for index, line in enumerate(content.split(b"\n")):
        if line.strip():
            _check_line(line, index)
            joined += separator + line
            separator = b","
        joined += b"\n"
    return bytes(joined) + b"]"


def _check_line(line: bytes, index: int) -> None:
    """Refuse a line that is not exactly one value: `1,2` would be two items of the array."""
    try:
        with suppress(RecursionError):  # whoever reads the array says where it is too deep
            msgspec.json.decode(line, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        raise fault.find(b"\n" * index + line) from error
