"""Constraints of a patch: what must hold on a document for the patch to fit it, judged with reasons."""

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from service.core import values
from service.core.pointer import parse_index, parse_pointer
from service.core.values import Json
from service.core.versions import parse_version
from service.errors import InvalidRequestError, Violation

Operator = Literal["==", "!=", ">", ">=", "<", "<=", "in"]
Kind: TypeAlias = Literal["null", "boolean", "number", "string", "array", "object"]

MAX_CONSTRAINTS = 1000
"""How many a list may hold."""
MAX_BYTES = 1024 * 1024
"""How long the values of all constraints of a patch may be together, as JSON: judging them takes a moment at most."""
_BYTES_OF_WEIGHT = 4
_ORDERED: frozenset[Kind] = frozenset({"number", "string"})
_WANTED = {">": (1,), ">=": (0, 1), "<": (-1,), "<=": (-1, 0)}
_LONGEST_FIELD = 1000
_SHOWN_NODES = 100
_SHOWN_CHARACTERS = 2000


class Constraint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold of one place. `field` is a JSON Pointer if it is empty or starts with `/`, else a dotted path."""

    field: str
    operator: Operator
    value: Any


class Verdict(msgspec.Struct, frozen=True, omit_defaults=False):
    """A constraint judged on a document. `actual` is null where nothing is there or it is too large to show."""

    field: str
    operator: Operator
    value: Any
    actual: Any
    satisfied: bool
    reason: str


class _Missing:
    """Stands for the value of a place that is not there."""


_MISSING = _Missing()


def tokens_of(field: str) -> tuple[str, ...]:
    """Give the member names and indexes that lead to a field; `ValueError` for a pointer that is malformed.

    >>> tokens_of("phone.0.use"), tokens_of("/a.b/~1")
    (('phone', '0', 'use'), ('a.b', '/'))
    """
    return parse_pointer(field) if not field or field[0] == "/" else tuple(field.split("."))


def check_constraints(constraints: Iterable[Constraint], name: str = "constraints") -> None:
    """Refuse constraints that could never be judged; `name` is the member of the request that holds them."""
    violations = [
        Violation(code=InvalidRequestError.code, detail=f"constraint {index}: {fault}", field=f"{name}/{index}")
        for index, constraint in enumerate(constraints)
        if (fault := _fault_of(constraint))
    ]
    if violations:
        raise InvalidRequestError(f"In '{name}', {violations[0].detail}.", violations=tuple(violations))


def judge(document: Json, constraints: Iterable[Constraint]) -> list[Verdict]:
    """Judge every constraint on the document, in their order.

    Missing fields and values of unlike kinds satisfy nothing, `!=` included. Numbers compare as numbers; two strings
    that are both versions compare as versions, other strings by code point; null, booleans, arrays and objects have
    no order.

    >>> [each.satisfied for each in judge({"v": "16"}, [Constraint("v", ">=", "9.6"), Constraint("w", "!=", 1)])]
    [True, False]
    """
    return [_judge(document, constraint) for constraint in constraints]


def holds(document: Json, constraints: Iterable[Constraint]) -> bool:
    """Say whether every constraint is satisfied."""
    return all(_reason_against(_find(document, each.field), each) is None for each in constraints)


def weigh(constraints: Iterable[Constraint]) -> int:
    """Estimate what it takes to judge one document: 1 is about a microsecond.

    >>> weigh([Constraint("a", "==", 1), Constraint("b", "in", [1, 2, 3])])
    3
    """
    return sum(1 + len(values.encode(each.value)) // _BYTES_OF_WEIGHT for each in constraints)


def kind_of(value: Json) -> Kind:
    """Name the kind of a JSON value.

    >>> kind_of(True), kind_of(1.5), kind_of({})
    ('boolean', 'number', 'object')
    """
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _fault_of(constraint: Constraint) -> str | None:
    if len(constraint.field) > _LONGEST_FIELD:
        return f"the field has more than {_LONGEST_FIELD} characters"
    if constraint.operator == "in" and not isinstance(constraint.value, list):
        return "the operator 'in' needs a list as its value"
    try:
        tokens_of(constraint.field)
    except ValueError as error:
        return f"{str(error)[:1].lower()}{str(error)[1:].rstrip('.')}"
    return None


def _judge(document: Json, constraint: Constraint) -> Verdict:
    actual = _find(document, constraint.field)
    against = _reason_against(actual, constraint)
    return Verdict(
        field=constraint.field,
        operator=constraint.operator,
        value=constraint.value,
        actual=None if isinstance(actual, _Missing) or not _can_be_shown(actual) else actual,
        satisfied=against is None,
        reason=against or "it holds",
    )


def _find(document: Json, field: str) -> Json | _Missing:
    value = document
    for token in tokens_of(field):
        if isinstance(value, dict) and token in value:
            value = value[token]
            continue
        index = parse_index(token) if isinstance(value, list) else None
        if index is None or index >= len(value):
            return _MISSING
        value = value[index]
    return value


def _reason_against(actual: Json | _Missing, constraint: Constraint) -> str | None:
    """Say why the constraint is not satisfied; None if it is."""
    operator, value = constraint.operator, constraint.value
    if isinstance(actual, _Missing):
        return "the document has no such field"
    if operator == "in":
        return None if any(_same(actual, each) for each in value) else "the value is not in the list"
    kind, wanted = kind_of(actual), kind_of(value)
    if kind != wanted:
        return f"the field holds {_named(kind)}, the constraint asks for {_named(wanted)}"
    if operator in {"==", "!="}:
        different = "the values differ" if operator == "==" else "the values are equal"
        return None if _same(actual, value) is (operator == "==") else different
    return _reason_against_order(kind, actual, operator, value)


def _reason_against_order(kind: Kind, actual: Json, operator: Operator, value: Json) -> str | None:
    if kind not in _ORDERED:
        return f"{_named(kind)} has no order"
    if _order(actual, value) in _WANTED[operator]:
        return None
    return f"the value is not {operator} the one asked for{_as_versions(actual, value)}"


def _same(left: Json, right: Json) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return _order(left, right) == 0
    return values.equal(left, right)


def _order(left: Any, right: Any) -> int:
    """Give -1, 0 or 1 for two numbers or two strings."""
    if isinstance(left, str):
        versions = parse_version(left), parse_version(right)
        if versions[0] is not None and versions[1] is not None:
            left, right = versions
    elif values.equal(left, right):
        return 0
    return int(left > right) - int(left < right)


def _as_versions(left: Any, right: Any) -> str:
    both = isinstance(left, str) and parse_version(left) is not None and parse_version(right) is not None
    return ", compared as versions" if both else ""


def _named(kind: Kind) -> str:
    return kind if kind == "null" else f"an {kind}" if kind[0] in "ao" else f"a {kind}"


def _can_be_shown(value: Json) -> bool:
    """Say whether a value is small, without walking through one that is not."""
    nodes, characters, left = 0, 0, [value]
    while left:
        each = left.pop()
        nodes += 1
        if isinstance(each, dict | list):
            nodes += len(each)
            if nodes <= _SHOWN_NODES:
                left.extend((*each, *each.values()) if isinstance(each, dict) else each)
        elif isinstance(each, str):
            characters += len(each)
        if nodes > _SHOWN_NODES or characters > _SHOWN_CHARACTERS:
            return False
    return True


OPERATORS: tuple[str, ...] = get_args(Operator)
