"""Keys of JSON values: hashable, and equal where the values are, so that items can be looked up and aligned."""

import re
from collections.abc import Hashable

from service.core import values
from service.core.values import EXACT_IN_DOUBLES, Json

_TRUE, _FALSE = ("bool", True), ("bool", False)
_MAYBE_INTEGRAL = re.compile(rb"\.0[,\]}]|\de[+-]?\d")
"""What the text of a container has if a float in it may equal an integer."""


def key(value: Json) -> Hashable:
    """Give what stands for a value: two are equal exactly where `values.equal` says so of their values.

    >>> key(1) == key(1.0), key(1) == key(True), key([1, {"a": 2.0}]) == key([1.0, {"a": 2}])
    (True, False, True)
    """
    kind = type(value)
    if kind is str or kind is int or value is None:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return _TRUE if value else _FALSE
    if kind is float:
        return _integral(value) if abs(value) < EXACT_IN_DOUBLES else ("float", value)
    text = values.encode_sorted(value)
    return values.encode_sorted(_normal(value)) if _MAYBE_INTEGRAL.search(text) else text


def _normal(value: Json) -> Json:
    """Write floats that equal an integer as that integer."""
    kind = type(value)
    if kind is dict:
        return {name: _normal(member) for name, member in value.items()}
    if kind is list:
        return [_normal(item) for item in value]
    return _integral(value) if kind is float and abs(value) < EXACT_IN_DOUBLES else value


def _integral(value: float) -> int | float:
    return int(value) if value.is_integer() else value
