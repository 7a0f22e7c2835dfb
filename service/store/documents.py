"""Content as BSON and back, exactly: what the database would bend or refuse is written in another, documented way.

A member name is kept as it is, so that queries reach it, except: `%` becomes `%25`, `.` `%2E`, NUL `%00`, a leading `$`
`%24`, and the empty name `%`. An integer beyond 64 bits is a Decimal128, which the database orders among the other
numbers; one of more than 34 digits is `{"%i": "<hexadecimal>"}`, a name that no encoded member can have.
"""

import re
from decimal import Decimal
from typing import Any

from bson import Decimal128, Int64
from bson import encode as encode_bson
from bson.errors import InvalidDocument
from bson.raw_bson import RawBSONDocument

from service.core import values
from service.core.pointer import format_pointer
from service.core.values import Json
from service.errors import NotStorableError
from service.store.mongo import MAX_DOCUMENT_BYTES

MAX_DEPTH = 99
"""MongoDB promises 100 levels, and the document that holds the content is the first."""
MAX_CONTENT_BYTES = MAX_DOCUMENT_BYTES - 64 * 1024
"""What a document may be, less room for what stands beside the content."""

_HUGE = "%i"
_UNSAFE = re.compile(r"[%.\0]|^\$|^\Z")
_ESCAPED = re.compile(r"%(25|2E|00|24)")
_LONG_NUMBERS = (b":0000000000", b":-0000000000")
_NUMBERS = bytes.maketrans(b"123456789,[", b"000000000::")
"""What an integer begins with that BSON may hold in 64 bits, which the driver gives back as a class of its own, or not
at all; in a text whose digits are made zeros and whose commas and brackets colons."""
_INT64 = 2**63
_DECIMAL128 = 10**34


def encode_name(name: str) -> str:
    """Write a member name as it is stored; queries for the member use it too.

    >>> [encode_name(name) for name in ("name", "$a.b", "", "100%")]
    ['name', '%24a%2Eb', '%', '100%25']
    """
    if not name:
        return "%"
    return _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", name)


def decode_name(name: str) -> str:
    """Read a stored member name.

    >>> decode_name(encode_name("$a.b%"))
    '$a.b%'
    """
    return "" if name == "%" else _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name)


def encode_content(content: dict[str, Json], text: bytes | None = None) -> tuple[RawBSONDocument, bool]:
    """Encode content, whose JSON text may be at hand; the second is whether reading it back needs no walk.

    Raises `NotStorableError` with the pointer of what is nested too deep, or when it passes the size of a document.
    """
    # Inside another document, because the encoder puts the outermost `_id` first.
    try:
        is_plain = not _may_need_encoding(values.encode(content) if text is None else text)
        data = encode_bson({"": content}, check_keys=True) if is_plain else b""
    except InvalidDocument:  # a name with a dollar, a dot or NUL
        is_plain = False
    data = (data if is_plain else encode_bson({"": _encode(content, [])}))[6:-1]
    if len(data) > MAX_CONTENT_BYTES:
        raise NotStorableError(
            f"The document takes {len(data)} bytes in the database, which holds {MAX_CONTENT_BYTES} in one.",
            pointer="",
            limit="document",
            maximum=MAX_CONTENT_BYTES,
        )
    return RawBSONDocument(data), is_plain


def decode_content(stored: dict[str, Any], is_plain: bool) -> dict[str, Json]:
    """Decode content as the driver gives it."""
    return stored if is_plain else {decode_name(name): _decode(value) for name, value in stored.items()}


def encode_value(value: Json) -> Any:
    """Encode one value as it is stored, for a query to compare with."""
    return _encode(value, [])


def decode_value(value: Any) -> Json:
    """Decode one stored value."""
    return _decode(value)


def _may_need_encoding(text: bytes) -> bool:
    """Tell from compact JSON text, in a few scans, whether a walk must be made; the encoder finds the other names.

    A string may look like one of these; then the walk is made for nothing.
    """
    numbers = text.translate(_NUMBERS)
    return (
        b"%" in text
        or b'"":' in text
        or any(long in numbers for long in _LONG_NUMBERS)
        or text.count(b"{") + text.count(b"[") > MAX_DEPTH
    )


def _encode(value: Json, path: list[str]) -> Any:
    if isinstance(value, dict | list) and len(path) >= MAX_DEPTH:
        raise NotStorableError(
            f"The document is nested deeper than the {MAX_DEPTH} levels that can be stored.",
            pointer=format_pointer(path),
            limit="depth",
            maximum=MAX_DEPTH,
        )
    if isinstance(value, dict):
        return {encode_name(name): _encode(child, [*path, name]) for name, child in value.items()}
    if isinstance(value, list):
        return [_encode(child, [*path, str(index)]) for index, child in enumerate(value)]
    if type(value) is int and not -_INT64 <= value < _INT64:
        return Decimal128(Decimal(value)) if abs(value) < _DECIMAL128 else {_HUGE: hex(value)}
    return value


def _decode(value: Any) -> Json:
    if isinstance(value, dict):
        if _HUGE in value:
            return int(value[_HUGE], 16)
        return {decode_name(name): _decode(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_decode(child) for child in value]
    if isinstance(value, Int64):
        return int(value)
    return int(value.to_decimal()) if isinstance(value, Decimal128) else value
