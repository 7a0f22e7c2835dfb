"""Scalars of YAML as JSON, by the rules of the core schema (YAML 1.2.2, section 10.3), digit for digit."""

import re

import msgspec
import yaml

from service.core.fault import TOO_LONG, is_out_of_range
from service.errors import MalformedJsonError

_FLOAT = re.compile(r"([-+]?)([0-9]*)(?:\.([0-9]*))?([eE][-+]?[0-9]+)?")
_BASES = {"0o": (re.compile(r"0o[0-7]+"), 8), "0x": (re.compile(r"0x[0-9a-fA-F]+"), 16)}
_NOT_NUMBERS = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LITERALS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), b"null"),
    **dict.fromkeys(("true", "True", "TRUE"), b"true"),
    **dict.fromkeys(("false", "False", "FALSE"), b"false"),
}
TAG = "tag:yaml.org,2002:"
_JSON_OF_TAG = {
    TAG + "null": re.compile(rb"null"),
    TAG + "bool": re.compile(rb"true|false"),
    TAG + "int": re.compile(rb"-?[0-9]+"),
    TAG + "float": re.compile(rb"-?[0-9].*"),
}


def fault(reason: str, mark: yaml.Mark) -> MalformedJsonError:
    """Make the refusal of a text for what stands at the mark."""
    line, column = mark.line + 1, mark.column + 1
    detail = f"Not valid YAML at line {line}, column {column}: {reason}."
    return MalformedJsonError(detail, line=line, column=column)


def scalar_to_json(event: yaml.ScalarEvent, *, is_name: bool) -> bytes:
    """Give a scalar as JSON. The name of a member is its own text, whatever it would be as a value."""
    plain = (event.implicit[0] and event.tag is None) or event.tag in _JSON_OF_TAG
    if event.tag not in {None, "!", TAG + "str", *_JSON_OF_TAG}:
        raise fault(f"the tag {event.tag[:60]} has no meaning in JSON", event.start_mark)
    value: str = event.value
    if is_name or not plain:
        return msgspec.json.encode(value)
    if _NOT_NUMBERS.fullmatch(value):
        raise fault(f"JSON has no {value}", event.start_mark)
    try:
        resolved = _LITERALS.get(value) or _number(value)
    except OverflowError as error:
        raise fault(f"the number {value[:40]} is out of range", event.start_mark) from error
    if event.tag in _JSON_OF_TAG and not _JSON_OF_TAG[event.tag].fullmatch(resolved or b""):
        raise fault(f"{value[:60]!r} is not of the type that its tag names", event.start_mark)
    return resolved or msgspec.json.encode(value)


def _number(text: str) -> bytes | None:
    """Give a number of the core schema (YAML 1.2.2, section 10.3.2) as JSON, digit for digit; None for other text.

    Raises `OverflowError` for a number that is refused in JSON too.
    """
    if not text[-1].isdecimal() and text[-1] not in ".abcdefABCDEF":
        return None
    if text[:2] in _BASES:
        pattern, base = _BASES[text[:2]]
        return _decimal(int(text, base)) if pattern.fullmatch(text) else None
    match = _FLOAT.fullmatch(text)
    if not match or not (match[2] or match[3]):
        return None
    sign, whole, fraction, exponent = match.groups(default="")
    point = "" if match[3] is None else f".{fraction or '0'}"
    number = f"{sign.replace('+', '')}{whole.lstrip('0') or '0'}{point}{exponent}"
    if is_out_of_range(number):
        raise OverflowError
    return number.encode()


def _decimal(number: int) -> bytes:
    if number >= TOO_LONG:
        raise OverflowError
    return str(number).encode()
