"""What is wrong with a member of a request, in words that say what may stand there instead."""

import re
from typing import Any

import msgspec
from msgspec.inspect import ListType, LiteralType, Metadata, StructType, Type, UnionType, VarTupleType

_STEP = re.compile(r"\.([^.\[]+)|\[")


def explain(name: str, hint: Any, error: msgspec.ValidationError) -> str:
    """Say what is wrong with the member `name`, and what may stand there where that is a choice of a few."""
    reason, _, where = str(error).partition(" - at `$")
    where = where.rstrip("`")
    found = _at(_kinds(msgspec.inspect.type_info(hint)), where)
    if reason.startswith("Object contains unknown field"):
        known = [field.encode_name for kind in found if isinstance(kind, StructType) for field in kind.fields]
        told = f"; known: {', '.join(known)}" if known else ""
    else:
        known = [str(value) for kind in found if isinstance(kind, LiteralType) for value in kind.values]
        told = f"; it takes: {', '.join(known)}" if known else ""
    return f"'{name}{where}': {reason[:1].lower()}{reason[1:]}{told}"


def _at(kinds: list[Type], where: str) -> list[Type]:
    """Return what may stand at a place such as `.constraints[0].operator` in a member of one of these kinds."""
    for step in _STEP.findall(where):
        below = [
            field.type
            for kind in kinds
            if isinstance(kind, StructType)
            for field in kind.fields
            if field.encode_name == step
        ]
        if not step:
            below = [kind.item_type for kind in kinds if isinstance(kind, ListType | VarTupleType)]
        kinds = [each for info in below for each in _kinds(info)]
    return kinds


def _kinds(info: Type) -> list[Type]:
    """List the kinds of value that a hint allows."""
    if isinstance(info, Metadata):
        info = info.type
    return [each for kind in info.types for each in _kinds(kind)] if isinstance(info, UnionType) else [info]
