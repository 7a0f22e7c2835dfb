"""The walk where options hold, or `==` cannot be trusted: that of `comparison`, asking the scope at each step."""

from collections.abc import Hashable, Iterable

from service.core import draft, values
from service.core.draft import TOKENS, Draft
from service.core.mating import Mating, mate, mate_by_position
from service.core.options import DiffOptions
from service.core.prune import Pruning
from service.core.scope import Scope, scope_of
from service.core.shifting import Places, ShiftingPlaces
from service.core.values import Json
from service.core.walk import ABSENT, CONTAINERS, MAX_PROBES, Walk, are_strangers, leaving_members


class ScopedComparison(Walk):
    """One walk through two pruned documents, which are not changed. At most four frames for each level of nesting."""

    def __init__(self, options: DiffOptions, pruning: Pruning, *, strict: bool = False) -> None:
        super().__init__(options.shorten_above)
        self._scope = scope_of(options, strict)
        self._pruning = pruning

    def compare(self, before: Json, after: Json) -> Draft:
        """Write what has to change. Raises `ArrayKeyError` for arrays that are `keyed` and cannot be."""
        if not self._is_same(before, after, self._scope, 0):
            self._change(b"", before, after, self._scope, 0)
        return Draft(self._operations, self._frames)

    def _change(self, path: bytes, before: Json, after: Json, scope: Scope, level: int) -> None:
        """Write how a value becomes another one that differs, or may differ."""
        kind = type(after)
        if kind not in CONTAINERS or kind is not type(before):
            if scope.is_plain or scope.differ(before, after):
                self._replace(path, before, after, scope)
            return
        if self._pruning.hollow and level <= MAX_PROBES and self._is_same_within(before, after):
            return
        start = len(self._operations)
        (self._object if kind is dict else self._array)(path, before, after, scope, level + 1)
        end = len(self._operations)
        if end > start and not self._is_fixed(before):
            self._frames.append((start, end, path, before, after, scope.invertible))

    def _is_same_within(self, before: Json, after: Json) -> bool:
        """Say whether all that takes part in two containers is equal, wherever in arrays there is what does not."""
        return values.equal(self._pruning.solid(before), self._pruning.solid(after))

    def _is_fixed(self, before: Json) -> bool:
        """Say whether a container holds something that the patch has to leave alone."""
        return id(before) in self._pruning.originals or id(before) in self._pruning.outside

    def _is_same(self, before: Json, after: Json, scope: Scope, level: int) -> bool:
        """Say whether nothing has to change; with little trust, where the scope is plain, in what is assumed."""
        kind = type(after)
        if level > MAX_PROBES and kind in CONTAINERS and kind is type(before):
            return False
        if scope.differ(before, after):
            return False
        if scope.is_plain:
            if kind in CONTAINERS:
                self._assume(before, after)
            elif kind is not type(before):
                return values.confirm(before, after)
        return True

    def _assume(self, before: Json, after: Json) -> None:
        self._assumed[0].append(before)
        self._assumed[1].append(after)

    def _object(self, path: bytes, before: dict[str, Json], after: dict[str, Json], scope: Scope, level: int) -> None:
        """Write the changes in the order of the members of `after`; what goes, goes before what followed it."""
        moves = scope.moves and id(before) not in self._pruning.outside
        sources = _moved_members(before, after) if moves else {}
        leaving = {} if before.keys() <= after.keys() else leaving_members(before, after, set(sources.values()))
        is_quick = scope.is_plain and level <= MAX_PROBES
        differing = self._differing_members(before, after) if is_quick else {n: before.get(n, ABSENT) for n in after}
        for name in after if leaving else differing:
            self._remove_members(path, before, leaving.get(name, ()), scope)
            if name not in differing:
                continue
            old, new, inner = differing[name], after[name], scope.at(name)
            if name in sources:
                self._write(draft.move(path + TOKENS[sources[name]], path + TOKENS[name]))
            elif old is ABSENT:
                self._add_member(path + TOKENS[name], self._hidden(before, name), new, inner)
            elif (is_quick and inner.is_plain) or not self._is_same(old, new, inner, level):
                self._change(path + TOKENS[name], old, new, inner, level)
        self._remove_members(path, before, leaving.get(None, ()), scope)

    def _differing_members(self, before: dict[str, Json], after: dict[str, Json]) -> dict[str, Json]:
        """Give the members of `after` that `before` has not, or otherwise, with what it has."""
        find = before.get
        olds, news = self._assumed
        differing = {}
        for name, new in after.items():
            old = find(name, ABSENT)
            if old != new:
                differing[name] = old
            elif type(new) is not str:
                olds.append(old)
                news.append(new)
        return differing

    def _hidden(self, before: dict[str, Json], name: str) -> Json:
        """Give what an added member overwrites: a scalar where `only` names something inside a container."""
        original: dict[str, Json] = self._pruning.originals.get(id(before), before)
        return original.get(name, ABSENT)

    def _remove_members(self, path: bytes, before: dict[str, Json], names: Iterable[str], scope: Scope) -> None:
        for name in names:
            self._remove(path + TOKENS[name], before[name], scope.at(name))

    def _array(self, path: bytes, before: list[Json], after: list[Json], scope: Scope, level: int) -> None:
        """Write the changes from the last item to the first, so that no index in front is shifted."""
        is_whole = id(before) not in self._pruning.places
        if scope.is_simple and scope.is_in_order and is_whole and level <= MAX_PROBES and len(before) == len(after):
            places = self._differing_items(before, after)
            if places is not None:
                for place in reversed(places):
                    self._item(path + b"/%d" % place, before[place], after[place], scope, level)
                return
        scope = scope.over(self._pruning.places.get(id(before)))
        mating = self._mating(before, after, scope, level)
        self.bounded = self.bounded or mating.bounded
        if level > MAX_PROBES or scope.is_tolerant or mating.moved or self._is_fixed(before):
            self._items(path, before, after, mating, scope, level)
        elif replacement := self._hopeless(path, before, after, mating):
            self._write(draft.tested(path, before, replacement) if scope.invertible else replacement)
        else:
            self._items(path, before, after, mating, scope, level)

    def _mating(self, before: list[Json], after: list[Json], scope: Scope, level: int) -> Mating:
        if level > MAX_PROBES:
            return mate_by_position(before, after)
        moves = scope.moves and id(before) not in self._pruning.places and id(before) not in self._pruning.outside
        mating = mate(before, after, scope, self._pairing, moves=moves)
        if scope.is_plain:
            for start, other, length, is_equal in mating.mates:
                if is_equal:
                    self._assume(before[start : start + length], after[other : other + length])
        return mating

    def _items(
        self, path: bytes, before: list[Json], after: list[Json], mating: Mating, scope: Scope, level: int
    ) -> None:
        places = self._places(before, mating)
        end, other_end = len(before), len(after)
        for start, other, length, is_equal in [*reversed(mating.mates), (0, 0, 0, True)]:
            for item in range(end - 1, start + length - 1, -1):
                if places.leaves(item):
                    self._remove(path + b"/%d" % places.of(item), before[item], scope.at(item))
            for item in range(other_end - 1, other + length - 1, -1):
                taken = places.take(item, start + length)
                arriving = path + b"/%d" % places.behind(start + length)
                if taken is None:
                    self._add(arriving, after[item])
                else:
                    self._write(draft.move(path + b"/%d" % taken[1], arriving))
                    inner = scope.at(taken[0])
                    if not self._is_same(before[taken[0]], after[item], inner, level):
                        self._item(arriving, before[taken[0]], after[item], inner, level)
                places.add_behind(1)
            inner = scope.at(start)
            if not (is_equal or self._is_same(before[start], after[other], inner, level)):
                self._item(path + b"/%d" % places.of(start), before[start], after[other], inner, level)
            places.add_behind(length)
            end, other_end = start, other

    def _item(self, path: bytes, before: Json, after: Json, scope: Scope, level: int) -> None:
        """Write how an item becomes another one: a stranger as a whole, if that is smaller."""
        start = len(self._operations)
        self._change(path, before, after, scope, level)
        is_free = scope.is_plain and not self._is_fixed(before)
        if is_free and len(self._operations) > start + 1 and are_strangers(before, after):
            replacement = draft.replace(path, after)
            self._unite(start, draft.tested(path, before, replacement) if scope.invertible else replacement)

    def _places(self, before: list[Json], mating: Mating) -> Places:
        if mating.moved:
            return ShiftingPlaces(len(before), mating.moved)
        indexes = self._pruning.places.get(id(before))
        return Places(indexes, len(self._pruning.originals[id(before)]) if indexes is not None else 0)

    def _add(self, path: bytes, value: Json) -> None:
        if id(value) not in self._pruning.hollow:
            self._write(draft.add(path, value))

    def _add_member(self, path: bytes, hidden: Json, value: Json, scope: Scope) -> None:
        if hidden is ABSENT or not scope.invertible:
            self._add(path, value)
        elif id(value) not in self._pruning.hollow:
            self._write(draft.tested(path, hidden, draft.replace(path, value)))

    def _remove(self, path: bytes, value: Json, scope: Scope) -> None:
        if id(value) in self._pruning.outside:
            # It stays, for what it holds beside what takes part; only the latter goes.
            if isinstance(value, list):
                self._items(path, value, [], Mating([], []), scope.over(self._pruning.places.get(id(value))), 0)
            else:
                self._change(path, value, {}, scope, 0)
        else:
            self._write_tested(path, value, draft.remove(path), scope)

    def _replace(self, path: bytes, before: Json, after: Json, scope: Scope) -> None:
        if id(after) in self._pruning.hollow:
            self._remove(path, before, scope)
        else:
            self._write_tested(path, before, draft.replace(path, after), scope)

    def _write_tested(self, path: bytes, before: Json, operation: bytes, scope: Scope) -> None:
        """Write an operation, where it has to be invertible behind a test of what the document has."""
        original = self._pruning.originals.get(id(before), before)
        self._write(draft.tested(path, original, operation) if scope.invertible else operation)


def _moved_members(before: dict[str, Json], after: dict[str, Json]) -> dict[str, str]:
    """Give, for members of `after` that have another name in `before`, that name."""
    going = [name for name in before if name not in after]
    coming = [name for name in after if name not in before]
    if not (going and coming):
        return {}
    names: dict[Hashable, list[str]] = {}
    for key, name in zip(values.keys([before[name] for name in going]), going, strict=True):
        names.setdefault(key, []).append(name)
    keys = values.keys([after[name] for name in coming])
    return {name: names[key].pop(0) for key, name in zip(keys, coming, strict=True) if names.get(key)}
