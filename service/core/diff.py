"""The diff engine: what turns one document into another, as a JSON Patch (RFC 6902).

Laws: the patch applied to `before` gives `after` (options aside); equal documents give `[]`; inputs are
not changed; the same inputs give the same bytes; every input within the limits ends, bounds make patches coarser only.
"""

from typing import NamedTuple

import msgspec

from service.core import values
from service.core.comparison import Comparison, TooManyLevelsError
from service.core.draft import Draft, replace, tested
from service.core.keyed import BadKeysError
from service.core.operation import Operation
from service.core.options import DEFAULT, DiffOptions
from service.core.pointer import format_pointer
from service.core.prune import NOTHING, Pruning
from service.core.scoped import ScopedComparison
from service.core.values import Json
from service.errors import MalformedJsonError, TooDeepError


class Patch(NamedTuple):
    """The operations; `bounded` says that a bound made them coarser than they could be."""

    operations: list[Operation]
    bounded: bool


class Outcome(msgspec.Struct, frozen=True, gc=False):  # made four times as fast as a NamedTuple
    """A patch as UTF-8 JSON; `bounded` says that a bound made it coarser than it could be."""

    patch: bytes
    bounded: bool


def compare_bytes(before: bytes, after: bytes, options: DiffOptions = DEFAULT) -> Outcome:
    """Compare two JSON texts.

    Raises what `values.decode` and `compare` raise, with the violation's `input` set to `before` or `after`.

    >>> compare_bytes(b'{"a": 1}', b'{"a": 2}').patch
    b'[{"op":"replace","path":"/a","value":2}]'
    """
    read = values.read_both(before, after, options.max_depth) if before != after and _is_plain(options) else None
    if read and (plain := _plain(*read, options)):
        return _written(*plain, options)
    name, max_depth = "before", options.max_depth
    try:
        old = values.decode(before, max_depth=max_depth)
        if before == after and not options.arrays:
            return Outcome(b"[]", bounded=False)
        name = "after"
        new = values.decode(after, max_depth=max_depth)
    except (MalformedJsonError, TooDeepError) as exc:
        exc.violations = tuple(msgspec.structs.replace(each, input=name) for each in exc.violations)
        raise
    return _written(*_scoped(old, new, options), options) if read else _compared(old, new, options)


def diff(before: Json, after: Json, options: DiffOptions = DEFAULT) -> list[Operation]:
    """Give the operations that turn `before` into `after`; neither is changed, and the operations share no part.

    >>> diff([1, 2, 3], [1, 3])
    [{'op': 'remove', 'path': '/1'}]
    """
    return compare(before, after, options).operations


def compare(before: Json, after: Json, options: DiffOptions = DEFAULT) -> Patch:
    """Compare two values. Raises `ArrayKeyError` for arrays that are `keyed` and cannot be."""
    outcome = _compared(before, after, options)
    return Patch(msgspec.json.decode(outcome.patch), outcome.bounded)


def _compared(before: Json, after: Json, options: DiffOptions) -> Outcome:
    plain = _plain(before, after, 0, options) if _is_plain(options) else None
    draft, bounded = plain or _scoped(before, after, options)
    return _written(draft, bounded, options)


def _written(draft: Draft, bounded: bool, options: DiffOptions) -> Outcome:
    patch = draft.text()
    if len(patch) > options.shorten_above:
        draft.shorten()
        patch = draft.text()
    return Outcome(patch, bounded)


def _is_plain(options: DiffOptions) -> bool:
    """Say whether no option changes how documents are walked through."""
    return options is DEFAULT or not (
        _prunes(options) or options.arrays or options.tolerances or options.moves or options.invertible
    )


def _prunes(options: DiffOptions) -> bool:
    return bool(options.ignored_names or options.ignored_paths or options.only)


def _plain(before: Json, after: Json, quotes: int, options: DiffOptions) -> tuple[Draft, bool] | None:
    """Give the draft and whether a bound was met; None where the walk has to be one that is never wrong.

    By so many quotes in the texts it is proved too, at the cost of the comparison alone, that no name is repeated.
    """
    comparison = Comparison(options.shorten_above)
    try:
        draft = comparison.compare(before, after)
    except TooManyLevelsError:
        return None
    return (draft, comparison.bounded) if comparison.proves(quotes) else None


def _scoped(before: Json, after: Json, options: DiffOptions) -> tuple[Draft, bool]:
    pruning = Pruning(options)
    if _prunes(options):
        original, before, after = before, pruning.prune(before), pruning.prune(after)
        if before is NOTHING:
            if after is NOTHING or id(after) in pruning.hollow:
                return Draft([], []), False
            replacement = replace(b"", after)
            return Draft([tested(b"", original, replacement) if options.invertible else replacement], []), False
        after = type(before)() if after is NOTHING else after
    try:
        return _walked(before, after, options, pruning)
    except BadKeysError as error:
        roots = {"before": before, "after": after}
        arrays = error.arrays
        trails = {side: pruning.find(array, roots[side]) for side, array in arrays.items()}
        raise error.refused(
            lambda side, place: format_pointer((*trails[side], pruning.place_of(arrays[side], place)))
        ) from error


def _walked(before: Json, after: Json, options: DiffOptions, pruning: Pruning) -> tuple[Draft, bool]:
    comparison = ScopedComparison(options, pruning)
    draft = comparison.compare(before, after)
    if not comparison.is_confirmed():
        # Somewhere `==` took `true` for 1 or the like: once more, with an equality that is never wrong.
        comparison = ScopedComparison(options, pruning, strict=True)
        draft = comparison.compare(before, after)
    return draft, comparison.bounded
