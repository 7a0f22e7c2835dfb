"""The query of a list made into values: `name=Foot%20clinic&updatedAt[gte]=…&sort=-updatedAt&fields=name,phone`."""

import hashlib
import re
from typing import Any, cast, get_args

import msgspec
from aiohttp import web

from service.api import wire
from service.api.paging import cursor_of
from service.api.query import only
from service.core import values
from service.core.listing import Filter, Operator, Order, Path, Place
from service.core.timestamp import format_timestamp, parse_timestamp
from service.errors import ServiceError, Violation

OPERATORS: tuple[Operator, ...] = get_args(Operator)
RESERVED = frozenset({"limit", "cursor", "sort", "fields"})
_MAX_FILTERS = 20
_MAX_SORTED = 3
_MAX_FIELDS = 50
_MAX_CHOICES = 200
_MAX_STEPS = 8
_MAX_LENGTH = 1000
_NAME = re.compile(r"(?P<path>[^\[\]]+)(?:\[(?P<operator>[^\[\]]*)\])?")
_TIMES = (("createdAt",), ("updatedAt",))


class FilterError(Exception):
    """One parameter that cannot be read. Never leaves this module."""


def read_filters(request: web.Request) -> tuple[Filter, ...]:
    """Read every parameter that is not of the list itself; `InvalidRequestError` tells all that is wrong."""
    found: list[Filter] = []
    faults: list[Violation] = []
    for name, text in request.query.items():
        if name not in RESERVED:
            try:
                found.append(_filter(name, text))
            except FilterError as error:
                faults.append(wire.fault(name[:_MAX_LENGTH], str(error)))
    if len(found) > _MAX_FILTERS:
        faults.append(wire.fault("filters", f"a list takes at most {_MAX_FILTERS} filters"))
    if faults:
        raise wire.refuse(faults)
    return tuple(found)


def read_order(request: web.Request) -> tuple[Order, ...]:
    """Read `sort`: members, each with a minus in front where it descends."""
    names = _names(request, "sort", _MAX_SORTED)
    return tuple(Order(_member("sort", name.removeprefix("-")), name.startswith("-")) for name in names or ())


def read_fields(request: web.Request) -> tuple[Path, ...] | None:
    """Read `fields`: the members that are answered; None for all."""
    names = _names(request, "fields", _MAX_FIELDS)
    return None if names is None else tuple(_member("fields", name) for name in names)


def name_list(request: web.Request, resource_type: str) -> str:
    """Name the list that a cursor belongs to by its type, filters and order, however long those are."""
    telling = sorted((name, text) for name, text in request.query.items() if name not in ("limit", "cursor", "fields"))
    return f"list {hashlib.sha256(msgspec.json.encode([resource_type, telling])).hexdigest()}"


def read_place(request: web.Request, listed: str, order: tuple[Order, ...]) -> Place | None:
    """Read the cursor of the list; raise `InvalidRequestError` for one that cannot be its own."""
    place = cursor_of(request, listed, Place)
    sorted_by = order or (Order(("createdAt",)),)
    expected = 0 if [each.path for each in sorted_by] == [("id",)] else len(sorted_by)
    by_time = len(sorted_by) == 1 and sorted_by[0].path in _TIMES
    if place is not None and (len(place.values) != expected or (by_time and not isinstance(place.values[0], str))):
        raise wire.refuse([wire.fault("cursor", "this cursor is none of this list; start again without one")])
    return place


def _names(request: web.Request, parameter: str, most: int) -> list[str] | None:
    text = only(request, parameter)
    names = None if text is None else text.split(",")
    if names and len(names) > most:
        raise wire.refuse([wire.fault(parameter, f"'{parameter}' takes at most {most} members")])
    return names


def _member(parameter: str, name: str) -> Path:
    try:
        return _path(name)
    except FilterError as error:
        raise wire.refuse([wire.fault(parameter, str(error))]) from error


def _filter(name: str, text: str) -> Filter:
    match = _NAME.fullmatch(name)
    if match is None:
        raise FilterError("a filter is written member=value or member[operator]=value")
    operator = match["operator"] if match["operator"] is not None else "eq"
    if operator not in OPERATORS:
        raise FilterError(f"operator '{operator[:40]}' is unknown; these are known: {', '.join(OPERATORS)}")
    path = _path(match["path"])
    if len(text) > _MAX_LENGTH * 10:
        raise FilterError("the value is too long")
    return Filter(path, cast("Operator", operator), _value(path, operator, text))


def _value(path: Path, operator: str, text: str) -> Any:
    """Read what the operator compares with."""
    if operator == "exists":
        if text not in ("true", "false"):
            raise FilterError("'exists' takes true or false")
        return text == "true"
    if operator == "prefix":
        prefix = _literal(text)
        prefix = prefix if isinstance(prefix, str) else text
        if not 0 < len(prefix) <= _MAX_LENGTH or "\0" in prefix:
            raise FilterError(f"'prefix' takes 1 to {_MAX_LENGTH} characters, NUL not among them")
        return prefix
    if operator in ("in", "nin"):
        return _choices(path, text)
    return _scalar(path, _literal(text), text)


def _choices(path: Path, text: str) -> list[Any]:
    """Read a JSON array, or scalars with commas in between."""
    listed = _literal(text)
    if isinstance(listed, list):
        choices = [_scalar(path, each, each if isinstance(each, str) else str(each)) for each in listed]
    else:
        choices = [_scalar(path, _literal(each), each) for each in text.split(",")]
    if len(choices) > _MAX_CHOICES:
        raise FilterError(f"'in' and 'nin' take at most {_MAX_CHOICES} values")
    return choices


def _scalar(path: Path, value: Any, text: str) -> Any:
    """Check a value; ids are text whatever they look like, and times are written as they are stored."""
    if path == ("id",):
        return value if isinstance(value, str) else text
    if path in _TIMES:
        return _time(text if not isinstance(value, str) else value)
    if isinstance(value, dict | list):
        raise FilterError("members are compared with text, a number, true, false or null")
    return value


def _time(text: str) -> str:
    try:
        return format_timestamp(parse_timestamp(text.replace(" ", "+")))
    except ValueError as error:
        raise FilterError("this member is compared with an RFC 3339 time such as 2026-01-02T03:04:05Z") from error


def _literal(text: str) -> Any:
    """Read a JSON literal where the text is one, else the text itself."""
    try:
        return values.decode(text.encode(), max_depth=4)
    except (ServiceError, UnicodeEncodeError):
        return text


def _path(text: str) -> Path:
    steps = tuple(text.split("."))
    if not all(steps) or len(steps) > _MAX_STEPS or len(text) > 200 or "\0" in text:
        raise FilterError(f"'{text[:40]}' names no member; write its path as name or phone.use, at most 8 names")
    return steps
