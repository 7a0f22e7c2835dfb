"""JSON values: strict decoding, encoding, and the one place that says when two values are equal.

A value is what `msgspec` makes of JSON: `None`, `bool`, `int`, `float`, `str`, `list`, `dict`.
"""

from collections.abc import Callable, Hashable, Sequence
from itertools import chain, compress
from typing import Any, TypeAlias

import msgspec

from service.core import fault
from service.core.fault import MOST_DIGITS, TOO_LONG
from service.core.outline import has_escaped_quotes, has_more_strings, may_be_deeper, outline_of

Json: TypeAlias = Any

EXACT_IN_DOUBLES = 10**15
"""Below this an integer and a fraction or exponent spelling may be equal; from here on readers disagree."""

_parse = msgspec.json.Decoder().decode
_pack = msgspec.msgpack.encode
_SORTING = msgspec.json.Encoder(order="sorted")
_PLAIN_KEYS = {str, int, type(None)}
_CONTAINERS = {dict, list}
_NUMBERS = {int, float}
_BRACE = ord("{")
_DIGITS = b"0123456789"
_BOM = b"\xef\xbb\xbf"


def decode(text: bytes, *, max_depth: int) -> Json:
    """Decode strictly: UTF-8 (a BOM is accepted), no duplicate names, no lone surrogates, no NaN, integers exact.

    Numbers beyond the range of a double, and integers of 4,300 digits and more, are refused.
    Raises `MalformedJsonError` with line and column, `TooDeepError` with the pointer of the container too many.

    >>> decode(b'{"a": [1, 2.0, true]}', max_depth=2)
    {'a': [1, 2.0, True]}
    """
    text = text.removeprefix(_BOM)
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise fault.find(text) from exc
    except RecursionError as exc:
        raise fault.find_too_deep(text, max_depth) from exc
    if len(text) > MOST_DIGITS and _has_long_run(text) and _holds_long_integer(value):
        raise fault.find(text)  # by one digit: the decoder refuses longer ones
    if type(value) not in _CONTAINERS:
        return value
    outline = outline_of(text) if len(text) > 2 * max_depth else text  # what is that short is not too deep
    if len(outline) > 2 * max_depth and may_be_deeper(text, outline, max_depth) and is_deeper(value, max_depth):
        raise fault.find_too_deep(text, max_depth)
    if _BRACE in text:
        encoded = encode(value)
        if encoded != text and has_more_strings(text, outline, encoded):
            raise fault.find(text)  # a repeated name: the value has but one of its members
    return value


def read_both(before: bytes, after: bytes, max_depth: int) -> tuple[Json, Json, int] | None:
    """Parse two texts and count the quotes in them, 0 if no name can be repeated as there are no objects.

    Each string takes two quotes, and those in it, in a text and in what `encode` makes of its value. A text in which
    there are more than in its value has repeated names. None for texts that `decode` has to look at.
    """
    try:
        old, new = _parse(before), _parse(after)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    text = before + after
    if _has_long_run(text):
        return None
    outline = outline_of(text) if len(text) > 2 * max_depth else text
    if (
        len(outline) > 2 * max_depth
        and may_be_deeper(text, outline, max_depth)
        and (is_deeper(old, max_depth) or is_deeper(new, max_depth))
    ):
        return None
    if _BRACE not in text:
        return old, new, 0
    if has_escaped_quotes(text):
        return None
    return old, new, outline.count(b'"')


def _has_long_run(text: bytes) -> bool:
    """Say whether more digits stand in a row than an integer may have: one of them then stands at a place looked at."""
    for at in range(MOST_DIGITS, len(text), MOST_DIGITS + 1):
        if text[at] in _DIGITS:
            before, behind = text[at - MOST_DIGITS : at], text[at : at + MOST_DIGITS + 1]
            if len(before) - len(before.rstrip(_DIGITS)) + len(behind) - len(behind.lstrip(_DIGITS)) > MOST_DIGITS:
                return True
    return False


def _holds_long_integer(value: Json) -> bool:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if type(each) is int and abs(each) >= TOO_LONG:
            return True
        if type(each) in _CONTAINERS:
            waiting += each.values() if type(each) is dict else each
    return False


def is_deeper(value: Json, max_depth: int) -> bool:
    """Say whether containers nest deeper than that, without recursion.

    >>> is_deeper([[1]], 1), is_deeper([[1]], 2)
    (True, False)
    """
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(max_depth):
        children = list(chain.from_iterable([each.values() if type(each) is dict else each for each in level]))
        level = list(compress(children, map(_CONTAINERS.__contains__, map(type, children))))
        if not level:
            return False
    return bool(level)


def check(text: bytes, max_depth: int) -> None:
    """Refuse what `decode` refuses."""
    decode(text, max_depth=max_depth)


encode: Callable[[Json], bytes] = msgspec.json.encode
"""Encode compactly as UTF-8."""


def encode_sorted(value: Json) -> bytes:
    """Encode with the members of every object in the order of their names."""
    return _SORTING.encode(value)


def copy(value: Json) -> Json:
    """Copy what could be changed, many times faster than `copy.deepcopy`."""
    return msgspec.json.decode(encode(value)) if isinstance(value, dict | list) else value


def equal(left: Json, right: Json) -> bool:
    """Say whether two values are the same JSON: order of members aside, `true` is not `1`, and `1` equals `1.0`.

    An integer equals a float only below 10**15: beyond, readers that use doubles and readers that do not disagree.

    >>> equal(1, 1.0), equal(1, True), equal(10**16, 1e16)
    (True, False, False)
    """
    return bool(left == right) and confirm(left, right)


def near(left: Json, right: Json, distance: float) -> bool:
    """Say whether two values are numbers closer than the distance.

    >>> near(1, 1.05, 0.1), near(1, 1.1, 0.1), near(10**400, 0.5, 0.1)
    (True, False, False)
    """
    if not (distance and type(left) in _NUMBERS and type(right) in _NUMBERS):
        return False
    try:
        return bool(abs(left - right) < distance)
    except OverflowError:  # an integer beyond doubles is near no fraction
        return False


def confirm(left: Json, right: Json) -> bool:
    """Say whether values that `==` calls equal are the same JSON."""
    return _packed_alike(left, right) or encode_sorted(left) == encode_sorted(right) or _same(left, right)


def keys(items: Sequence[Json]) -> Sequence[Hashable]:
    """Give hashable keys for values, equal where the values are (but for numbers spelt differently inside containers).

    >>> keys([1, 1.0, True, {"b": 1, "a": 2}])
    [1, 1.0, (True,), b'{"a":2,"b":1}']
    """
    kinds = set(map(type, items))
    if kinds <= _PLAIN_KEYS:
        return items
    if kinds <= _CONTAINERS:
        return list(map(encode_sorted, items))
    return [item if type(item) in _PLAIN_KEYS else _key(item) for item in items]


def _key(value: Json) -> Hashable:
    if isinstance(value, bool):
        return (value,)
    if isinstance(value, float) and -EXACT_IN_DOUBLES < value < EXACT_IN_DOUBLES:
        return value
    return encode_sorted(value)


def _packed_alike(left: Json, right: Json) -> bool:
    """Say whether two values have the same MessagePack, which tells types apart and is written faster than JSON."""
    try:
        return _pack(left) == _pack(right)
    except OverflowError:  # it has no integers beyond 64 bits
        return False


def _same(left: Json, right: Json) -> bool:
    """Tell apart what Python's `==` does not, for values that it calls equal."""
    kind = type(left)
    if kind is dict:
        return all(_same(value, right[name]) for name, value in left.items())
    if kind is list:
        return all(map(_same, left, right))
    return kind is type(right) or (
        kind is not bool and type(right) is not bool and -EXACT_IN_DOUBLES < left < EXACT_IN_DOUBLES
    )
