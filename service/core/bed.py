"""Where the changes of an array in a delta take hold in an array of another document; order is set aside.

Whole items are counted: where the changeset takes a value from m copies to n, the target's copies are brought to n if
they are what the changeset expects. Items that changed inside are recognised by what did not change in them.
"""

from collections import defaultdict
from collections.abc import Hashable

from service.core import similarity
from service.core.identity import key
from service.core.ledger import Ledger, Slot
from service.core.similarity import Feature
from service.core.values import Json

RECOGNISED = 0.5
"""How much of what did not change in an item must be found in the target's for it to be the same item."""


class Bed:
    """The target's array while the changes of a delta's array are carried to it."""

    def __init__(self, changes: list[Json], target: list[Json]) -> None:
        self.items: list[Json] = list(target)
        self._slots = [Slot(each) for each in changes]
        self._target_keys: list[Hashable] = [(key(item),) for item in target]
        self._removed: set[int] = set()
        self._added: dict[int, list[Json]] = defaultdict(list)
        self._free = set(range(len(target)))
        self._demote()
        self._claim_equal()
        self._claim_alike()

    def nested(self) -> list[tuple[int, int | None]]:
        """List the items that changed inside, each with the index of its counterpart in `items`."""
        return [(number, slot.index) for number, slot in enumerate(self._slots) if slot.is_nested]

    def carry(self, *, additions_only: bool) -> list[int]:
        """Add and remove whole items; give the numbers of the changes that found no place."""
        ledger = Ledger([(number, slot) for number, slot in enumerate(self._slots) if not slot.is_nested])
        for index in sorted(self._free):
            ledger.indexes[self._target_keys[index]].append(index)
        ledger.locate()
        if additions_only:
            ledger.keep_additions()
        self._removed = ledger.removals()
        anchors = self._anchors()
        for number, slot in ledger.additions():
            self._added[anchors[number]].append(slot.after)
        return sorted(ledger.ignored)

    def result(self) -> list[Json]:
        """Give the target's array as it has become."""
        items = list(self._added.get(-1, ()))
        for index, item in enumerate(self.items):
            if index not in self._removed:
                items.append(item)
            items.extend(self._added.get(index, ()))
        return items

    def _demote(self) -> None:
        """Take an item whose old or new value stands elsewhere in the changeset as a whole.

        Either it only moved, or it becomes what comes in as a whole too, and copies are counted.
        """
        before = {slot.before_key for slot in self._slots}
        after = {slot.after_key for slot in self._slots}
        for slot in self._slots:
            slot.is_nested = slot.is_nested and slot.before_key not in after and slot.after_key not in before
        coming = {slot.after_key for slot in self._slots if slot.is_change and not slot.is_nested}
        for slot in self._slots:
            slot.is_nested = slot.is_nested and slot.after_key not in coming

    def _claim_equal(self) -> None:
        """Find the items that already are as B has them, then those that are as A has them."""
        places: dict[Hashable, list[int]] = defaultdict(list)
        for index in reversed(range(len(self._target_keys))):
            places[self._target_keys[index]].append(index)
        for wanted in ("after_key", "before_key"):
            for slot in self._slots:
                if slot.is_nested and slot.index is None and (found := places.get(getattr(slot, wanted))):
                    slot.index = found.pop()
                    self._free.discard(slot.index)

    def _claim_alike(self) -> None:
        """Find the items that have what did not change in theirs. What the changeset touches is no evidence."""
        nested = [slot for slot in self._slots if slot.is_nested]
        if all(slot.index is not None for slot in nested):
            return
        volatile: set[Feature] = set()
        for slot in self._slots:
            volatile.update(slot.touched())
        known = {each for slot in self._slots if not slot.is_nested for each in (slot.before_key, slot.after_key)}
        candidates = similarity.Candidates(
            [_evidence(slot.features() - volatile) for slot in nested],
            [_evidence(similarity.features(item) - volatile) for item in self.items],
            contained=True,
            threshold=RECOGNISED,
        )
        open_slots = {number for number, slot in enumerate(nested) if slot.index is None}
        strangers = {index for index in self._free if self._target_keys[index] not in known}
        scored = [
            each._replace(distance=0)  # what is added shifts it, and equally good ones are to be found again
            for each in candidates.scored()
            if type(nested[each.before].after) is type(self.items[each.after])
        ]
        for number, index in similarity.choose(scored, open_slots, strangers):
            nested[number].index = index
            self._free.discard(index)

    def _anchors(self) -> list[int]:
        """Give for each slot the index that what it adds comes behind."""
        first = next((slot.index for slot in self._slots if slot.index is not None), len(self.items))
        anchors = []
        anchor = first - 1
        for slot in self._slots:
            anchor = anchor if slot.index is None else slot.index
            anchors.append(anchor)
        return anchors


def _evidence(features: frozenset[Feature]) -> frozenset[Feature]:
    """Leave out names and kinds: that two objects have the same members does not make them the same thing."""
    return frozenset(feature for feature in features if isinstance(feature, tuple))
