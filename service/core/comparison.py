"""Walk two documents side by side and note what has to change. Equal parts are passed at the speed of C."""

from collections.abc import Hashable
from itertools import compress, count
from operator import eq, not_, sub

from service.core import edits, values
from service.core.edits import Edit
from service.core.mating import MAX_SHIFTED, Mate, Mating, mate, mate_by_position
from service.core.operation import Operation
from service.core.options import DiffOptions
from service.core.pairing import Pairing
from service.core.pointer import escape
from service.core.prune import Pruning
from service.core.scope import Scope, scope_of
from service.core.shifting import Places, ShiftingPlaces
from service.core.values import Json

_MAX_PROBES = 40
"""So many containers within each other are asked whether they differ at all before they are walked through."""

_SMALLEST_OPERATION = len('{"op":"remove","path":"/0"},')
_CONTAINERS = frozenset({dict, list})
_ABSENT = object()

Parts = list[Operation | Edit]


class Comparison:
    """One walk through two documents, which are not changed."""

    def __init__(self, options: DiffOptions, pruning: Pruning, *, strict: bool = False) -> None:
        self._scope = scope_of(options, strict=strict)
        self._pruning = pruning
        self._is_pruned = bool(options.ignored_names or options.ignored_paths or options.only)
        self._pairing = Pairing()
        self._shorten_above = options.shorten_above
        self._assumed: tuple[list[Json], list[Json]] = ([], [])
        self.bounded = False

    def compare(self, before: Json, after: Json) -> Edit:
        """Give what has to change, in an edit that stands for what holds the document."""
        whole = Edit("", [before], [after], is_fixed=True)
        if not self._is_same(before, after, self._scope, _MAX_PROBES + 1):
            self._change(whole.parts, "", before, after, self._scope, 0)
        return whole

    def is_confirmed(self) -> bool:
        """Say whether all that was passed as equal is: `true` is not `1`."""
        return values.confirm(*self._assumed)

    def _change(self, parts: Parts, path: str, before: Json, after: Json, scope: Scope, level: int) -> None:
        """Note how a value becomes another one that differs, or may differ."""
        kind = type(after)
        if kind in _CONTAINERS and kind is type(before):
            is_fixed = self._is_pruned and (
                id(before) in self._pruning.originals or id(before) in self._pruning.outside
            )
            edit = Edit(path, before, after, is_fixed=is_fixed, is_invertible=scope.invertible)
            (self._object if kind is dict else self._array)(edit, scope, level + 1)
            if edit.parts:
                parts.append(edit)
        elif scope.is_plain or scope.differ(before, after):
            self._replace(parts, path, before, after, scope)

    def _is_same(self, before: Json, after: Json, scope: Scope, level: int) -> bool:
        """Say whether nothing has to change; with little trust, where the scope is plain, in what is assumed."""
        kind = type(after)
        if level > _MAX_PROBES and kind in _CONTAINERS and kind is type(before):
            return False
        if scope.differ(before, after):
            return False
        if scope.is_plain:
            if kind in _CONTAINERS:
                self._assume(before, after)
            elif kind is not type(before):
                return values.confirm(before, after)
        return True

    def _assume(self, before: Json, after: Json) -> None:
        self._assumed[0].append(before)
        self._assumed[1].append(after)

    def _object(self, edit: Edit, scope: Scope, level: int) -> None:
        """Note the changes in the order of the members of `after`; what goes, goes before what followed it."""
        before, after = edit.before, edit.after
        moves = scope.moves and id(before) not in self._pruning.outside
        sources = _moved_members(before, after) if moves else {}
        leaving = {} if before.keys() <= after.keys() else _leaving(before, after, set(sources.values()))
        is_simple = self._is_simple(scope, level)
        differing = self._differing_members(before, after) if is_simple else after
        for name in after if leaving else differing:
            if name in leaving:
                self._remove_members(edit, leaving[name], scope)
            if name not in differing:
                continue
            old, new, inner = before.get(name, _ABSENT), after[name], scope.at(name)
            path = f"{edit.path}/{escape(name)}"
            if name in sources:
                edit.parts.append(edits.move(f"{edit.path}/{escape(sources[name])}", path))
            elif old is _ABSENT:
                self._add(edit.parts, path, new)
            elif is_simple or not self._is_same(old, new, inner, level):
                self._change(edit.parts, path, old, new, inner, level)
        if None in leaving:
            self._remove_members(edit, leaving[None], scope)

    def _is_simple(self, scope: Scope, level: int) -> bool:
        """Say whether a container may be passed in a few steps, which do not look at options."""
        return scope.is_simple and level <= _MAX_PROBES and not self._is_pruned

    def _differing_members(self, before: dict[str, Json], after: dict[str, Json]) -> dict[str, Json]:
        """Give the members of `after` that `before` has not, or otherwise; quickly."""
        find = before.get
        differing = {name: new for name, new in after.items() if find(name, _ABSENT) != new}
        same = [name for name in after if name not in differing] if differing else list(after)
        self._assume([before[name] for name in same], [after[name] for name in same])
        return differing

    def _remove_members(self, edit: Edit, names: list[str], scope: Scope) -> None:
        for name in names:
            self._remove(edit.parts, f"{edit.path}/{escape(name)}", edit.before[name], scope.at(name))

    def _array(self, edit: Edit, scope: Scope, level: int) -> None:
        """Note the changes from the last item to the first, so that no index in front is shifted."""
        before, after = edit.before, edit.after
        if self._is_simple(scope, level) and scope.is_in_order and len(before) == len(after):
            places = self._differing_items(before, after)
            if places is not None:
                for place in reversed(places):
                    self._change(edit.parts, f"{edit.path}/{place}", before[place], after[place], scope, level)
                return
        if level > _MAX_PROBES:
            mating = mate_by_position(before, after)
        else:
            moves = scope.moves and id(before) not in self._pruning.places and id(before) not in self._pruning.outside
            mating = mate(edit, scope, self._pairing, moves=moves)
        self.bounded = self.bounded or mating.bounded
        if scope.is_plain:
            for start, other, length, is_equal in mating.mates:
                if is_equal:
                    self._assume(before[start : start + length], after[other : other + length])
        if level <= _MAX_PROBES and not scope.is_tolerant and self._is_hopeless(edit, mating):
            edit.parts.extend(edit.replacement())
        else:
            self._emit(edit, mating, scope, level)

    def _differing_items(self, before: list[Json], after: list[Json]) -> list[int] | None:
        """Give the places of what differs in arrays of one length, quickly; None where they have to be aligned."""
        same = list(map(eq, before, after))
        places = list(compress(count(), map(not_, same)))
        if len(places) > 1 and (len(places) * MAX_SHIFTED > len(after) or 1 in map(sub, places[1:], places)):
            return None
        self._assume(list(compress(before, same)), list(compress(after, same)))
        return places

    def _is_hopeless(self, edit: Edit, mating: Mating) -> bool:
        """Say whether the operations on the items are certain to take more than the whole array."""
        kept = sum([each.length for each in mating.mates if each.is_equal])
        least = (_SMALLEST_OPERATION + len(edit.path)) * (max(len(edit.before), len(edit.after)) - kept)
        if edit.is_fixed or mating.moved or least <= max(self._shorten_above, 2 * len(edit.after)):
            return False
        return sum(map(edits.encoded_size, edit.replacement())) < least

    def _emit(self, edit: Edit, mating: Mating, scope: Scope, level: int) -> None:
        before, after = edit.before, edit.after
        places = self._places(edit, mating)
        end, other_end = len(before), len(after)
        for start, other, length, is_equal in [*reversed(mating.mates), Mate(0, 0, 0, is_equal=True)]:
            for item in range(end - 1, start + length - 1, -1):
                if places.leaves(item):
                    self._remove(edit.parts, f"{edit.path}/{places.of(item)}", before[item], scope.at(item))
            for item in range(other_end - 1, other + length - 1, -1):
                self._arrive(edit, item, places, start + length, (scope, level))
            inner = scope.at(start)
            if not is_equal and not self._is_same(before[start], after[other], inner, level):
                path = f"{edit.path}/{places.of(start)}"
                self._change(edit.parts, path, before[start], after[other], inner, level)
            places.add_behind(length)
            end, other_end = start, other

    def _arrive(self, edit: Edit, item: int, places: Places, front: int, where: tuple[Scope, int]) -> None:
        """Note how an item of `after` without a mate comes to stand behind the first `front` items."""
        scope, level = where
        taken = places.take(item, front)
        path = f"{edit.path}/{places.behind(front)}"
        new = edit.after[item]
        if taken is None:
            self._add(edit.parts, path, new)
        else:
            source, index = taken
            inner = scope.at(source)
            edit.parts.append(edits.move(f"{edit.path}/{index}", path))
            if not self._is_same(edit.before[source], new, inner, level):
                self._change(edit.parts, path, edit.before[source], new, inner, level)
        places.add_behind(1)

    def _places(self, edit: Edit, mating: Mating) -> Places:
        if mating.moved:
            return ShiftingPlaces(len(edit.before), mating.moved)
        indexes = self._pruning.places.get(id(edit.before))
        return Places(indexes, len(self._pruning.originals[id(edit.before)]) if indexes is not None else 0)

    def _add(self, parts: Parts, path: str, value: Json) -> None:
        if id(value) not in self._pruning.hollow:
            parts.append({"op": "add", "path": path, "value": value})

    def _remove(self, parts: Parts, path: str, value: Json, scope: Scope) -> None:
        if id(value) in self._pruning.outside:
            # It stays, for what it holds beside what takes part; only the latter goes.
            self._change(parts, path, value, type(value)(), scope, 0)
        else:
            parts.extend(edits.remove(path, self._original(value), is_invertible=scope.invertible))

    def _replace(self, parts: Parts, path: str, before: Json, after: Json, scope: Scope) -> None:
        if not self._is_pruned:
            parts.extend(edits.replace(path, before, after, is_invertible=scope.invertible))
        elif id(after) in self._pruning.hollow:
            self._remove(parts, path, before, scope)
        else:
            parts.extend(edits.replace(path, self._original(before), after, is_invertible=scope.invertible))

    def _original(self, value: Json) -> Json:
        """Give the value as the document has it, for a `test`."""
        return self._pruning.originals.get(id(value), value)


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


def _leaving(before: dict[str, Json], after: dict[str, Json], moved: set[str]) -> dict[str | None, list[str]]:
    """Give the members that only `before` has, by the member that follows them and stays; None for the last."""
    leaving: dict[str | None, list[str]] = {}
    run: list[str] = []
    for name in before:
        if name not in after:
            if name not in moved:
                run.append(name)
        elif run:
            leaving[name], run = run, []
    if run:
        leaving[None] = run
    return leaving
