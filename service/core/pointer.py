"""JSON Pointers (RFC 6901): text to tokens and back, and patterns over them."""

import re
from collections.abc import Iterable

from service.core.options import Pattern

_BAD_ESCAPE = re.compile(r"~(?![01])")
_MAX_SHOWN = 200
_INDEX = re.compile(r"0|[1-9][0-9]*")


def parse_pointer(text: str) -> tuple[str, ...]:
    """Split a pointer into its unescaped tokens; `ValueError` says what is wrong with it.

    >>> parse_pointer("/a~1b//0")
    ('a/b', '', '0')
    """
    if not text:
        return ()
    if text[0] != "/":
        raise ValueError(f"The pointer {shown(text)} does not start with '/'.")
    if "~" not in text:
        return tuple(text[1:].split("/"))
    if _BAD_ESCAPE.search(text):
        raise ValueError(f"The pointer {shown(text)} holds a '~' that is not '~0' or '~1'.")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in text[1:].split("/"))


def format_pointer(tokens: Iterable[str | int]) -> str:
    """Join unescaped tokens to a pointer.

    >>> format_pointer(["a/b", "", 0])
    '/a~1b//0'
    """
    return "".join(f"/{escape(token) if isinstance(token, str) else token}" for token in tokens)


def shown(text: str) -> str:
    """Quote a pointer for a message, cut off where it is long."""
    return f"'{text}'" if len(text) <= _MAX_SHOWN else f"'{text[:_MAX_SHOWN]}…'"


def escape(token: str) -> str:
    """Escape one token."""
    return token.replace("~", "~0").replace("/", "~1")


def parse_index(token: str) -> int | None:
    """Give the array index that the token spells; None if it spells none, or one that no array has."""
    return int(token) if len(token) < 20 and is_index(token) else None


def is_index(token: str) -> bool:
    """Say whether the token spells an array index, without sign or leading zeros (RFC 6901, section 4)."""
    return _INDEX.fullmatch(token) is not None


def parse_pattern(text: str) -> Pattern:
    """Read a pointer pattern: `*` stands for one token, `**` for any run of tokens.

    >>> parse_pattern("/items/*/id")
    ('items', '*', 'id')
    """
    return parse_pointer(text)
