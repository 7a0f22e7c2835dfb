"""Find where a text goes wrong that is not acceptable JSON. Slow and thorough: used when the refusal is certain."""

import json
import math
import re
from collections.abc import Iterator

from service.core import pointer
from service.errors import MalformedJsonError, TooDeepError

_GZIP = b"\x1f\x8b"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_SHOWN = 40
MOST_DIGITS = 4299
"""No integer has more."""
TOO_LONG = 10**MOST_DIGITS
_REASONS = {
    "Invalid control character at": "a control character in a string must be escaped",
    "Unterminated string starting at": "the string is not closed",
}
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s"\[\]{},:]+')
_NOT_FINITE = re.compile(r"NaN|-?Infinity")
_LONE = re.compile(
    r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<lone>u[dD][89a-fA-F]..)|.)",
    re.DOTALL,
)


def find_encoding(text: bytes) -> MalformedJsonError | None:
    """Give the error for bytes that are compressed or of another encoding, None where they do not look like it."""
    if text.startswith(_GZIP):
        return _error("", 0, "the text is compressed; say so with Content-Encoding: gzip, or send it as it is")
    if text.startswith(_WIDE_MARKS) or b"\x00" in text[:2]:
        return _error("", 0, "the text is UTF-16 or UTF-32; JSON is sent as UTF-8 (RFC 8259, section 8.1)")
    return None


def find(text: bytes) -> MalformedJsonError:
    """Give the error for a text that the decoder refused, with line and column."""
    if (error := find_encoding(text)) is not None:
        return error
    try:
        characters = text.decode()
    except UnicodeDecodeError as exc:
        before = text[: exc.start].decode()
        return _error(before, len(before), "a byte that is not UTF-8")
    try:
        json.loads(characters, parse_int=len, parse_float=len, parse_constant=_stop)
    except json.JSONDecodeError as exc:
        return _error(characters, exc.pos, _REASONS.get(exc.msg, exc.msg[:1].lower() + exc.msg[1:]))
    except _NotFiniteError:
        pass  # whatever stands behind it
    return _find_beyond_syntax(characters)


class _NotFiniteError(Exception):
    """The text holds NaN or Infinity."""


def _stop(_: str) -> float:
    raise _NotFiniteError


def find_too_deep(text: bytes, max_depth: int) -> TooDeepError:
    """Give the error for a text whose containers nest deeper than `max_depth`."""
    path = next((path for _, _, path in _walk(text.decode(errors="replace")) if len(path) > max_depth), [])
    return TooDeepError(
        f"The document is nested deeper than {max_depth} levels.",
        pointer=pointer.format_pointer(path[:max_depth]),
        limit="max_depth",
        maximum=max_depth,
    )


def _find_beyond_syntax(text: str) -> MalformedJsonError:
    """Find what the grammar allows and we do not: NaN, lone surrogates, numbers out of range, repeated names."""
    seen: list[set[str]] = []
    for match, is_name, path in _walk(text):
        token = match.group()
        del seen[len(path) :]
        seen.extend(set() for _ in range(len(path) - len(seen)))
        if reason := _fault_of_token(token):
            return _error(text, match.start(), reason, path)
        if is_name:
            name = json.loads(token)
            if name in seen[-1]:
                reason = f"the name {_shown(token)} is repeated in its object"
                return _error(text, match.start(), reason, [*path[:-1], name])
            seen[-1].add(name)
    return _error(text, len(text), "the decoder refuses it")


def _fault_of_token(token: str) -> str | None:
    if token[0] == '"':
        return "a lone surrogate" if any(match["lone"] for match in _LONE.finditer(token)) else None
    if _NOT_FINITE.match(token):
        return "NaN and Infinity are not JSON"
    if token[-1].isdigit():
        return f"the number {_shown(token)} is out of range" if is_out_of_range(token) else None
    return None


def is_out_of_range(number: str) -> bool:
    """Say of a number of JSON whether it is refused: an integer for its digits, any other that no double comes near."""
    digits = number.lstrip("-")
    return len(digits) > MOST_DIGITS if digits.isdigit() else math.isinf(float(number))


def _walk(text: str) -> Iterator[tuple[re.Match[str], bool, list[str | int]]]:
    """Yield each token, whether it is a member's name, and the path to it; the path is one list that changes.

    The last token of the path of a name is the name before it: a name is not there yet.
    """
    path: list[str | int] = []
    expects_name = False
    for match in _TOKEN.finditer(text):
        part = match.group()
        if part in {"[", "{"}:
            path.append(0 if part == "[" else "")
            expects_name = part == "{"
            yield match, False, path
        elif part in {"]", "}"}:
            del path[-1:]
            expects_name = False
        elif part == ",":
            if path and isinstance(path[-1], int):
                path[-1] += 1
            else:
                expects_name = bool(path)
        elif part != ":":
            yield match, expects_name, path
            if expects_name:
                path[-1] = _name(part)
                expects_name = False


def _name(token: str) -> str:
    try:
        return str(json.loads(token, strict=False))
    except ValueError:
        return token


def _error(text: str, position: int, reason: str, path: list[str | int] | None = None) -> MalformedJsonError:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    detail = f"Not valid JSON at line {line}, column {column}: {reason}."
    if path is None:
        return MalformedJsonError(detail, line=line, column=column)
    return MalformedJsonError(detail, line=line, column=column, pointer=pointer.format_pointer(path))


def _shown(token: str) -> str:
    return token if len(token) <= _SHOWN else f"{token[:_SHOWN]}…"
