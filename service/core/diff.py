"""The diff engine: what turns one document into another, as a JSON Patch (RFC 6902)."""

from collections.abc import Hashable
from typing import Any, NamedTuple

import msgspec

from service.core import values
from service.core.alignment import Block, align
from service.core.options import DEFAULT, DiffOptions
from service.core.pointer import escape
from service.core.values import Json
from service.errors import MalformedJsonError, TooDeepError

Operation = dict[str, Any]


class Outcome(NamedTuple):
    """A patch as UTF-8 JSON; `bounded` says that a bound made it coarser than it could be."""

    patch: bytes
    bounded: bool


def compare_bytes(before: bytes, after: bytes, options: DiffOptions = DEFAULT) -> Outcome:
    """Compare two JSON texts. Raises what `values.decode` raises, with its `input` set to `before` or `after`."""
    operations = diff(_decode("before", before, options), _decode("after", after, options), options)
    return Outcome(values.encode(operations), bounded=False)


def diff_bytes(before: bytes, after: bytes, options: DiffOptions = DEFAULT) -> bytes:
    """Give the patch of `compare_bytes` alone.

    >>> diff_bytes(b'{"a": 1}', b'{"a": 2}')
    b'[{"op":"replace","path":"/a","value":2}]'
    """
    return compare_bytes(before, after, options).patch


def diff(before: Json, after: Json, options: DiffOptions = DEFAULT) -> list[Operation]:
    """Give the operations that turn `before` into `after`; neither is changed.

    >>> diff([1, 2, 3], [1, 3])
    [{'op': 'remove', 'path': '/1'}]
    """
    operations: list[Operation] = []
    _diff_values("", before, after, options.ignored_names, operations)
    return operations


def _decode(name: str, text: bytes, options: DiffOptions) -> Json:
    try:
        return values.decode(text, max_depth=options.max_depth)
    except (MalformedJsonError, TooDeepError) as exc:
        exc.violations = tuple(msgspec.structs.replace(each, input=name) for each in exc.violations)
        raise


def _diff_values(path: str, before: Json, after: Json, ignored: frozenset[str], operations: list[Operation]) -> None:
    if type(before) is dict and type(after) is dict:
        _diff_objects(path, before, after, ignored, operations)
    elif type(before) is list and type(after) is list:
        _diff_arrays(path, before, after, ignored, operations)
    elif not values.equal(before, after):
        operations.append({"op": "replace", "path": path, "value": _strip(after, ignored)})


def _diff_objects(
    path: str, before: dict[str, Json], after: dict[str, Json], ignored: frozenset[str], operations: list[Operation]
) -> None:
    removed: dict[str | None, list[str]] = {}
    run: list[str] = []
    for name in before:
        if name in ignored:
            continue
        if name in after:
            removed[name], run = run, []
        else:
            run.append(name)
    for name, value in after.items():
        if name in ignored:
            continue
        operations.extend({"op": "remove", "path": f"{path}/{escape(gone)}"} for gone in removed.get(name, ()))
        if name in before:
            _diff_values(f"{path}/{escape(name)}", before[name], value, ignored, operations)
        else:
            operations.append({"op": "add", "path": f"{path}/{escape(name)}", "value": _strip(value, ignored)})
    operations.extend({"op": "remove", "path": f"{path}/{escape(gone)}"} for gone in run)


def _diff_arrays(
    path: str, before: list[Json], after: list[Json], ignored: frozenset[str], operations: list[Operation]
) -> None:
    blocks = align([_key(item, ignored) for item in before], [_key(item, ignored) for item in after])
    end, after_end = len(before), len(after)
    for block in [*reversed(blocks), Block(0, 0, 0)]:
        gap = range(block.before + block.length, end)
        added = after[block.after + block.length : after_end]
        # What stands at the same place of the gap is a pair; the rest is removed or added behind it, from the last on.
        paired = min(len(gap), len(added))
        operations.extend({"op": "remove", "path": f"{path}/{index}"} for index in reversed(gap[paired:]))
        operations.extend(
            {"op": "add", "path": f"{path}/{gap.start + paired}", "value": _strip(value, ignored)}
            for value in reversed(added[paired:])
        )
        for index, value in zip(reversed(gap[:paired]), reversed(added[:paired]), strict=True):
            _diff_values(f"{path}/{index}", before[index], value, ignored, operations)
        end, after_end = block.before, block.after


def _key(value: Json, ignored: frozenset[str]) -> Hashable:
    if isinstance(value, int | str) and not isinstance(value, bool):
        return value
    return values.encode_sorted(_strip(value, ignored))


def _strip(value: Json, ignored: frozenset[str]) -> Json:
    """Give the value without its ignored members."""
    if not ignored:
        return value
    if isinstance(value, dict):
        return {name: _strip(member, ignored) for name, member in value.items() if name not in ignored}
    if isinstance(value, list):
        return [_strip(item, ignored) for item in value]
    return value
