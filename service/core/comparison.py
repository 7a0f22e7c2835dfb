"""Walk two documents side by side and write what has to change. Equal parts are passed at the speed of C.

This is the walk where no option asks for more; `scoped` has the one where some do.
"""

from collections.abc import Iterable

from service.core import draft, values
from service.core.draft import TOKENS, Draft
from service.core.mating import Mate, mate_in_order
from service.core.options import DEFAULT
from service.core.scope import scope_of
from service.core.values import Json
from service.core.walk import ABSENT, CONTAINERS, MAX_PROBES, Walk, are_strangers, leaving_members

_SCOPE = scope_of(DEFAULT)


class TooManyLevelsError(Exception):
    """Changes lie too deep for asking at every level whether anything differs below."""


class Comparison(Walk):
    """One walk through two documents, which are not changed.

    So that strings can be counted, each of either document is kept: within what was assumed to be equal, together with
    the names that two objects have in common, or in `_apart`.
    """

    def __init__(self, shorten_above: int) -> None:
        super().__init__(shorten_above)
        self._apart: list[Json] = []

    def compare(self, before: Json, after: Json) -> Draft:
        """Write what has to change. Raises `TooManyLevelsError`."""
        if type(after) in CONTAINERS or not values.equal(before, after):
            self._change(b"", before, after, 0)
        return Draft(self._operations, self._frames)

    def proves(self, quotes: int) -> bool:
        """Say whether all that was passed as equal is, and that texts with so many quotes have no repeated names."""
        if not quotes:
            return self.is_confirmed()
        before, after = self._assumed
        encoded = values.encode(before)
        if encoded != values.encode(after) and not values.confirm(before, after):
            return False
        return 2 * encoded.count(b'"') + values.encode(self._apart).count(b'"') == quotes

    def _change(self, path: bytes, before: Json, after: Json, level: int) -> None:
        """Write how a value, or nothing, becomes another one."""
        kind = type(after)
        if kind is not type(before) or kind not in CONTAINERS:
            self._apart.append(after)
            if before is ABSENT:
                self._write(draft.add(path, after))
            else:
                self._apart.append(before)
                self._write(draft.replace(path, after))
            return
        if level >= MAX_PROBES:
            raise TooManyLevelsError
        start = len(self._operations)
        if kind is dict:
            self._object(path, before, after, level + 1)
        else:
            self._array(path, before, after, level + 1)
        end = len(self._operations)
        if end > start:
            self._frames.append((start, end, path, before, after, False))

    def _object(self, path: bytes, before: dict[str, Json], after: dict[str, Json], level: int) -> None:
        """Write the changes in the order of the members of `after`; what goes, goes before what followed it."""
        olds, news = self._assumed
        differing: dict[str, Json] = {}
        staying = len(after)
        for name, new in after.items():
            old = before.get(name, ABSENT)
            if old == new:
                olds.append(old)
                news.append(new)
            else:
                differing[name] = old
                if old is ABSENT:
                    staying -= 1
        if staying == len(before) == len(after):
            olds += after
            news += after
        else:
            self._apart += before
            self._apart += after
        if staying == len(before):
            for name, old in differing.items():
                self._change(path + TOKENS[name], old, after[name], level)
        else:
            self._losing_object(path, before, after, differing, level)

    def _losing_object(
        self, path: bytes, before: dict[str, Json], after: dict[str, Json], differing: dict[str, Json], level: int
    ) -> None:
        """Write the changes of an object that has members no more."""
        leaving = leaving_members(before, after)
        for name, new in after.items():
            if name in leaving:
                self._remove_members(path, before, leaving[name])
            if name in differing:
                self._change(path + TOKENS[name], differing[name], new, level)
        if None in leaving:
            self._remove_members(path, before, leaving[None])

    def _remove_members(self, path: bytes, before: dict[str, Json], names: Iterable[str]) -> None:
        for name in names:
            self._apart.append(before[name])
            self._write(draft.remove(path + TOKENS[name]))

    def _array(self, path: bytes, before: list[Json], after: list[Json], level: int) -> None:
        """Write the changes from the last item to the first, so that no index in front is shifted."""
        places = self._differing_items(before, after) if len(before) == len(after) else None
        if places is not None:
            for place in reversed(places):
                self._item(path + b"/%d" % place, before[place], after[place], level)
            return
        mating = mate_in_order(before, after, _SCOPE, self._pairing)
        self.bounded = self.bounded or mating.bounded
        replacement = self._hopeless(path, before, after, mating)
        if replacement:
            self._apart += before, after
            self._write(replacement)
        else:
            self._items(path, before, after, mating.mates, level)

    def _items(self, path: bytes, before: list[Json], after: list[Json], mates: list[Mate], level: int) -> None:
        end, other_end = len(before), len(after)
        for start, other, length, is_equal in [*reversed(mates), (0, 0, 0, True)]:
            for place in range(end - 1, start + length - 1, -1):
                self._apart.append(before[place])
                self._write(draft.remove(path + b"/%d" % place))
            for place in range(other_end - 1, other + length - 1, -1):
                self._apart.append(after[place])
                self._write(draft.add(path + b"/%d" % (start + length), after[place]))
            if is_equal:
                self._assumed[0].extend(before[start : start + length])
                self._assumed[1].extend(after[other : other + length])
            elif type(after[other]) in CONTAINERS or not values.equal(before[start], after[other]):
                # An alignment that is bounded can leave equal items between its runs.
                self._item(path + b"/%d" % start, before[start], after[other], level)
            else:
                self._apart += before[start], after[other]
            end, other_end = start, other

    def _item(self, path: bytes, before: Json, after: Json, level: int) -> None:
        """Write how an item becomes another one: a stranger as a whole, if that is smaller."""
        start = len(self._operations)
        self._change(path, before, after, level)
        if len(self._operations) > start + 1 and are_strangers(before, after):
            self._unite(start, draft.replace(path, after))
