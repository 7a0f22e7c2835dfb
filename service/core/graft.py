"""Graft: the changes of a delta carried over to another document, as far as it has what they change."""

from typing import Any, Literal, NamedTuple

from msgspec import UNSET

from service.core import delta, values
from service.core.bed import Bed
from service.core.pointer import format_pointer
from service.core.values import Json

Mode = Literal["changesetPriority", "targetPriority", "additionsOnly"]
"""Whether a change is carried over where the target has another value than the changeset expects."""


class Graft(NamedTuple):
    """The target with the changes; `ignored` are pointers into the delta of the changes that found no place."""

    document: Json
    ignored: list[str]


def graft(changes: Json, target: Json, mode: Mode = "changesetPriority") -> Graft:
    """Carry the changes of a checked delta to the target. Parts of both are shared with the result, not changed.

    Laws: grafting twice changes nothing more; grafting the delta of A and B on A gives B, up to the order of items.
    In arrays order is set aside: items are recognised by their values.

    >>> graft({"a": {"dx_delta": {"A": 1, "B": 2}}}, {"a": 9, "b": 3})
    Graft(document={'a': 2, 'b': 3}, ignored=[])
    """
    walk = _Walk(mode)
    document = walk.value(changes, target)
    if document is UNSET:
        walk.ignored.append("")
        document = target
    return Graft(document, walk.ignored)


class _Walk:
    """One graft under way; UNSET stands for what the target does not have."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._trail: list[str | int] = []
        self.ignored: list[str] = []

    def value(self, changes: Json, target: Any) -> Any:
        """Give what the target has in the place of a value of the delta."""
        if delta.is_change(changes):
            before, after = delta.sides(changes)
            return self._change(before, after, target)
        kind = type(changes)
        if kind is dict and type(target) is dict:
            return self._objects(changes, target)
        if kind is list and type(target) is list:
            return self._arrays(changes, target)
        if kind is dict or kind is list:
            self._ignore_all(changes)
        return target

    def _change(self, before: Any, after: Any, target: Any) -> Any:
        if target is UNSET:
            if before is UNSET:
                return after
            if after is not UNSET:
                self._ignore()
            return UNSET
        if after is not UNSET and values.equal(target, after):
            return target
        if self.may_change(before, target):
            return after
        self._ignore()
        return target

    def may_change(self, before: Any, target: Any) -> bool:
        """Say whether the mode lets a change from `before` take the place of what the target has."""
        if self._mode == "changesetPriority":
            return True
        return self._mode == "targetPriority" and before is not UNSET and values.equal(before, target)

    def _objects(self, changes: dict[str, Json], target: dict[str, Json]) -> Json:
        result: dict[str, Json] = {}
        for name in (*target, *(name for name in changes if name not in target)):
            if name not in changes:
                result[name] = target[name]
                continue
            self._trail.append(name)
            value = self.value(changes[name], target.get(name, UNSET))
            self._trail.pop()
            if value is not UNSET:
                result[name] = value
        return result

    def _arrays(self, changes: list[Json], target: list[Json]) -> Json:
        bed = Bed(changes, target)
        for slot, index in bed.nested():
            self._trail.append(slot)
            if index is None:
                self._ignore_all(changes[slot])
            else:
                bed.items[index] = self.value(changes[slot], target[index])
            self._trail.pop()
        for slot in bed.carry(additions_only=self._mode == "additionsOnly"):
            self._trail.append(slot)
            self._ignore()
            self._trail.pop()
        return bed.result()

    def _ignore(self) -> None:
        self.ignored.append(format_pointer(self._trail))

    def _ignore_all(self, changes: Json) -> None:
        """List every change in a part of the delta that the target has no counterpart of."""
        if delta.is_change(changes):
            self._ignore()
            return
        kind = type(changes)
        if kind is dict or kind is list:
            for token, value in changes.items() if kind is dict else enumerate(changes):
                self._trail.append(token)
                self._ignore_all(value)
                self._trail.pop()
