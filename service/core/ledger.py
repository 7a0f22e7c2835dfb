"""Whole items of arrays while a delta is carried to a document: how many copies A, B and the target have of each."""

from collections import Counter, defaultdict
from collections.abc import Hashable
from typing import Any

from msgspec import UNSET

from service.core import delta, similarity
from service.core.identity import key
from service.core.similarity import Feature
from service.core.values import Json


class Slot:
    """One item of the array in the delta: what A and B have there, UNSET where nothing.

    `index` is where the target has it, None where nobody has found it there.
    """

    def __init__(self, changes: Json) -> None:
        is_mark = delta.is_change(changes)
        self.before, self.after = (
            delta.sides(changes) if is_mark else (delta.rebuild(changes, "A"), delta.rebuild(changes, "B"))
        )
        self.before_key: Hashable = None if self.before is UNSET else (key(self.before),)
        self.after_key: Hashable = None if self.after is UNSET else (key(self.after),)
        self.is_nested = not is_mark and self.before_key != self.after_key
        self.index: int | None = None

    @property
    def is_change(self) -> bool:
        """Whether the sides differ."""
        return self.before_key != self.after_key

    def features(self) -> frozenset[Feature]:
        """Give what both sides can be recognised by."""
        return similarity.features(self.before) & similarity.features(self.after)

    def touched(self) -> frozenset[Feature]:
        """Give what one side has and the other has not."""
        if not self.is_change:
            return frozenset()
        before, after = (similarity.features(each) if each is not UNSET else frozenset() for each in self.sides)
        return before ^ after

    @property
    def sides(self) -> tuple[Any, Any]:
        """What A and B have."""
        return self.before, self.after


class Ledger:
    """How many copies of each whole item A, B and the target have, and so what is to come and to go."""

    def __init__(self, slots: list[tuple[int, Slot]]) -> None:
        self._slots = slots
        self.indexes: dict[Hashable, list[int]] = defaultdict(list)
        self.ignored: set[int] = set()

    def locate(self) -> None:
        """Say where the target has what the slots name: first what A has, then what only B has."""
        places = {value: list(reversed(found)) for value, found in self.indexes.items()}
        for wanted in ("before_key", "after_key"):
            for _, slot in self._slots:
                if slot.index is None and (found := places.get(getattr(slot, wanted))):
                    slot.index = found.pop()

    def keep_additions(self) -> None:
        """Set aside what is not purely an addition."""
        kept = [(number, slot) for number, slot in self._slots if slot.before is UNSET or not slot.is_change]
        self.ignored.update(
            number for number, slot in self._slots if slot.is_change and self.indexes.get(slot.before_key)
        )
        self._slots = kept

    def removals(self) -> set[int]:
        """Give the indexes of the items that go."""
        removed: set[int] = set()
        before, after = self._counts()
        leaving: dict[Hashable, list[tuple[int, Slot]]] = defaultdict(list)
        for number, slot in self._slots:
            if slot.is_change and slot.before is not UNSET:
                leaving[slot.before_key].append((number, slot))
        for value, slots in leaving.items():
            found = self.indexes.get(value, [])
            if after[value] >= before[value] or len(found) <= after[value]:
                continue
            if after[value] and len(found) > before[value]:
                self.ignored.update(number for number, _ in slots)
                continue
            own = {slot.index for _, slot in slots}
            ordered = sorted(found, key=lambda index: index not in own)
            removed.update(ordered[: len(found) - after[value]])
        return removed

    def additions(self) -> list[tuple[int, Slot]]:
        """Give the slots whose new value comes in, in order."""
        before, after = self._counts()
        arriving: dict[Hashable, list[tuple[int, Slot]]] = defaultdict(list)
        for number, slot in self._slots:
            if slot.is_change and slot.after is not UNSET:
                arriving[slot.after_key].append((number, slot))
        added: list[tuple[int, Slot]] = []
        for value, slots in arriving.items():
            copies = len(self.indexes.get(value, ()))
            able = [each for each in slots if each[1].before is UNSET or self.indexes.get(each[1].before_key)]
            wanted = after[value] - (len(slots) - len(able))
            if copies < before[value]:
                self.ignored.update(number for number, _ in slots)
            elif wanted > before[value]:
                missing = [each for each in able if each[1].before is not UNSET or each[1].index is None]
                added += missing[: max(0, wanted - copies)]
            if not copies:
                self.ignored.update({number for number, _ in slots} - {number for number, _ in able})
        return sorted(added, key=lambda each: each[0])

    def _counts(self) -> tuple[Counter[Hashable], Counter[Hashable]]:
        before = Counter(slot.before_key for _, slot in self._slots if slot.before is not UNSET)
        after = Counter(slot.after_key for _, slot in self._slots if slot.after is not UNSET)
        return before, after
