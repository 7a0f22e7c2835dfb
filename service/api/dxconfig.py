"""`dxConfig`: the instructions of a comparison, from JSON to `DiffOptions`."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from service.api import wire
from service.core import pointer
from service.core.options import Alignment, ArrayRule, DiffOptions, FamilyAlignment, Pattern, Scoped, Tolerance
from service.errors import InvalidRequestError, ServiceError, Violation

Distance = Annotated[float, Meta(ge=0)]
PatternText = Annotated[
    str, Meta(description="JSON Pointer pattern: `*` is one token, `**` any run of tokens", examples=["/items/*/seen"])
]


class Instruction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """One instruction of `dxConfig`; its kind is the member that the others lack."""


class IgnoreInstruction(Instruction, frozen=True):
    """Leave members out of the comparison: by name at any depth (`key`), or by pattern (`path`)."""

    ignore_changes: Literal["delete"]
    key: str | UnsetType = UNSET
    path: PatternText | UnsetType = UNSET


class OnlyInstruction(Instruction, frozen=True):
    """Compare nothing outside the pattern."""

    only: PatternText


class ArrayInstruction(Instruction, frozen=True):
    """How the items of arrays are paired: everywhere, or where the pattern matches."""

    array_alignment: Alignment
    path: PatternText | UnsetType = UNSET
    keys: tuple[str, ...] = ()
    on_key_error: Literal["refuse", "inOrder"] = "refuse"


class FamilyArrayInstruction(Instruction, frozen=True):
    """How the items of arrays are paired by `compare` and the merges, which know more ways than a patch can say."""

    array_alignment: FamilyAlignment
    path: PatternText | UnsetType = UNSET
    keys: tuple[str, ...] = ()
    on_key_error: Literal["refuse", "inOrder"] = "refuse"


class ToleranceInstruction(Instruction, frozen=True):
    """Numbers closer than this are equal."""

    tolerance: Distance
    path: PatternText | UnsetType = UNSET


class MovesInstruction(Instruction, frozen=True):
    """Whether `move` and `copy` may be used where they shorten the patch."""

    moves: bool
    path: PatternText | UnsetType = UNSET


class InvertibleInstruction(Instruction, frozen=True):
    """Whether a `test` stands before every `remove` and `replace`."""

    invertible: bool
    path: PatternText | UnsetType = UNSET


KINDS: dict[str, type[Instruction]] = {
    "ignoreChanges": IgnoreInstruction,
    "only": OnlyInstruction,
    "arrayAlignment": ArrayInstruction,
    "tolerance": ToleranceInstruction,
    "moves": MovesInstruction,
    "invertible": InvertibleInstruction,
}
FAMILY_KINDS: dict[str, type[Instruction]] = {
    "ignoreChanges": IgnoreInstruction,
    "only": OnlyInstruction,
    "arrayAlignment": FamilyArrayInstruction,
    "tolerance": ToleranceInstruction,
}
"""The instructions of `compare` and the merges."""

_KEYS_AND_KEYED = "'keys' names the members that identify an item; it goes with arrayAlignment 'keyed'"


def parse_instructions(text: msgspec.Raw, kinds: Mapping[str, type[Instruction]] = KINDS) -> list[Instruction]:
    """Read a bare array of instructions, or one wrapped as `{"dxConfig": [...]}`; the text has been checked."""
    body = bytes(text).strip()
    if body[:1] == b"{":
        wrapped = wire.members(body)
        if set(wrapped) != {"dxConfig"}:
            raise _refuse("a wrapped dxConfig has the one member 'dxConfig'")
        body = bytes(wrapped["dxConfig"])
    try:
        items = msgspec.json.decode(body, type=list[dict[str, msgspec.Raw]])
    except msgspec.ValidationError as error:
        raise _refuse("must be an array of instructions, each an object") from error
    return wire.parse_all(enumerate(items), lambda each: _parse_one(each[1], each[0], kinds))


def check_keys(alignment: str | UnsetType, keys: tuple[str, ...]) -> None:
    """Raise `InvalidRequestError` unless a request's own `keys` come with its alignment `keyed`, and only with it."""
    if (alignment == "keyed") != bool(keys):
        raise wire.refuse([wire.fault("keys", _KEYS_AND_KEYED)])


def _parse_one(item: dict[str, msgspec.Raw], index: int, kinds: Mapping[str, type[Instruction]]) -> Instruction:
    kind = next((kinds[name] for name in item if name in kinds), None)
    if kind is None:
        raise _refuse(
            f"unknown instruction with members {', '.join(item) or '(none)'}; known: {', '.join(kinds)}", index
        )
    try:
        instruction = wire.build(item, kind)
    except ServiceError as error:
        raise _refuse(error.detail, index) from error
    if isinstance(instruction, IgnoreInstruction) and (instruction.key is UNSET) == (instruction.path is UNSET):
        raise _refuse("ignoreChanges takes either 'key' or 'path'", index)
    if isinstance(instruction, ArrayInstruction | FamilyArrayInstruction) and (
        instruction.array_alignment == "keyed"
    ) != bool(instruction.keys):
        raise _refuse(_KEYS_AND_KEYED, index)
    return instruction


def to_options(instructions: list[Instruction], *, max_depth: int) -> DiffOptions:
    """Make the options of a comparison; where several instructions fit a place, the last one wins."""
    if not instructions:
        return _plain(max_depth)
    names: set[str] = set()
    ignored: list[Pattern] = []
    only: list[Pattern] = []
    arrays: list[ArrayRule] = []
    tolerances: list[Tolerance] = []
    moves: list[Scoped] = []
    invertible: list[Scoped] = []
    for index, each in enumerate(instructions):
        match each:
            case IgnoreInstruction(key=str(key)):
                names.add(key)
            case IgnoreInstruction(path=str(path)):
                ignored.append(_pattern(path, index))
            case OnlyInstruction(only=path):
                only.append(_pattern(path, index))
            case ArrayInstruction() | FamilyArrayInstruction():
                arrays.append(ArrayRule(each.array_alignment, _scope(each.path, index), each.keys, each.on_key_error))
            case ToleranceInstruction():
                tolerances.append(Tolerance(each.tolerance, _scope(each.path, index)))
            case MovesInstruction():
                moves.append(Scoped(each.moves, _scope(each.path, index)))
            case InvertibleInstruction():
                invertible.append(Scoped(each.invertible, _scope(each.path, index)))
            case _:
                raise TypeError(f"{type(each)} is not an instruction")
    return DiffOptions(
        ignored_names=frozenset(names),
        ignored_paths=tuple(ignored),
        only=tuple(only),
        arrays=tuple(arrays),
        tolerances=tuple(tolerances),
        moves=tuple(moves),
        invertible=tuple(invertible),
        max_depth=max_depth,
    )


@cache
def _plain(max_depth: int) -> DiffOptions:
    """Return the options of most comparisons, one object for all: engines know it again."""
    return DiffOptions(max_depth=max_depth)


def _scope(path: str | UnsetType, index: int) -> Pattern | None:
    return None if path is UNSET else _pattern(path, index)


def _pattern(text: str, index: int) -> Pattern:
    try:
        return pointer.parse_pattern(text)
    except ValueError as error:
        raise _refuse(str(error), index) from error


def _refuse(detail: str, index: int | None = None) -> InvalidRequestError:
    where = "dxConfig" if index is None else f"dxConfig[{index}]"
    violation = Violation(code=InvalidRequestError.code, detail=detail, field=where)
    return InvalidRequestError(f"{where}: {detail.rstrip('.')}.", violations=(violation,))
