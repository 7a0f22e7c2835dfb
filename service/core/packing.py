"""Options as bytes, in the form that `native/src/options.rs` reads."""

import struct
from collections.abc import Callable, Iterable
from typing import TypeVar

from service.core.options import ArrayRule, DiffOptions, Pattern, Scoped, Tolerance

_ALIGNMENTS = {"inOrder": 0, "positionPriority": 1, "keyed": 2}
_MOST = 0xFFFF_FFFF
_T = TypeVar("_T")


def pack(options: DiffOptions, *, wants_inverse: bool = False) -> bytes:
    """Pack the options: little-endian numbers; texts and lists with their lengths in front."""
    return b"".join(
        (
            _number(options.max_depth),
            _number(options.shorten_above),
            _flag(wants_inverse),
            _list(_text, sorted(options.ignored_names)),
            _list(_pattern, options.ignored_paths),
            _list(_pattern, options.only),
            _list(_array_rule, options.arrays),
            _list(_tolerance, options.tolerances),
            _list(_switch, options.moves),
            _list(_switch, options.invertible),
        )
    )


def _number(value: int) -> bytes:
    return struct.pack("<I", min(max(value, 0), _MOST))


def _flag(value: bool) -> bytes:
    return b"\x01" if value else b"\x00"


def _text(value: str) -> bytes:
    encoded = value.encode("utf-8", "surrogatepass")  # such a name matches nothing, here as in the reference
    return _number(len(encoded)) + encoded


def _list(pack_item: Callable[[_T], bytes], items: Iterable[_T]) -> bytes:
    packed = [pack_item(item) for item in items]
    return _number(len(packed)) + b"".join(packed)


def _pattern(pattern: Pattern) -> bytes:
    return _list(_text, pattern)


def _path(path: Pattern | None) -> bytes:
    return _flag(False) if path is None else _flag(True) + _pattern(path)


def _array_rule(rule: ArrayRule) -> bytes:
    is_lenient = _flag(rule.on_key_error == "inOrder")
    return bytes([_ALIGNMENTS[rule.alignment]]) + is_lenient + _list(_text, rule.keys) + _path(rule.path)


def _tolerance(rule: Tolerance) -> bytes:
    return struct.pack("<d", rule.distance) + _path(rule.path)


def _switch(rule: Scoped) -> bytes:
    return _flag(rule.enabled) + _path(rule.path)
