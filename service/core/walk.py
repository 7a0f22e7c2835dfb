"""What both walks through two documents share: a draft, and what was passed because `==` calls it equal."""

from collections.abc import Container

from service.core import draft, values
from service.core.draft import Frame
from service.core.mating import MAX_SHIFTED, Mating
from service.core.pairing import Pairing
from service.core.values import Json

MAX_PROBES = 40
"""So many containers within each other are asked whether they differ at all before they are walked through."""

CONTAINERS = frozenset({dict, list})
ABSENT = object()
_SMALLEST_OPERATION = len('{"op":"remove","path":"/0"},')


class Walk:
    """A walk under way. `bounded` says that a bound made the patch coarser than it could be."""

    def __init__(self, shorten_above: int) -> None:
        self._shorten_above = shorten_above
        self._pairing = Pairing()
        self._operations: list[bytes] = []
        self._frames: list[Frame] = []
        self._write = self._operations.append
        self._assumed: tuple[list[Json], list[Json]] = ([], [])
        self.bounded = False

    def is_confirmed(self) -> bool:
        """Say whether all that was passed as equal is: `true` is not `1`."""
        before, after = self._assumed
        return not before or values.confirm(before, after)

    def _differing_items(self, before: list[Json], after: list[Json]) -> list[int] | None:
        """Give the places of what differs in arrays of one length, quickly; None where they have to be aligned."""
        olds, news = self._assumed
        assumed = len(olds)
        places: list[int] = []
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            if old == new:
                olds.append(old)
                news.append(new)
            elif places and (places[-1] + 1 == place or (len(places) + 1) * MAX_SHIFTED > len(after)):
                del olds[assumed:], news[assumed:]
                return None
            else:
                places.append(place)
        return places

    def _unite(self, start: int, operation: bytes) -> None:
        """Let one operation stand for those from `start` on, if it is smaller."""
        if len(operation) >= len(b",".join(self._operations[start:])):
            return
        self._operations[start:] = [operation]
        while self._frames and self._frames[-1][0] >= start:
            self._frames.pop()

    def _hopeless(self, path: bytes, before: list[Json], after: list[Json], mating: Mating) -> bytes:
        """Give the replacement of an array if operations on its items are certain to take more; else nothing."""
        each, enough = _SMALLEST_OPERATION + len(path), max(self._shorten_above, 2 * len(after))
        if each * max(len(before), len(after)) <= enough:
            return b""
        kept = sum([length for _, _, length, is_equal in mating.mates if is_equal])
        least = each * (max(len(before), len(after)) - kept)
        if least <= enough:
            return b""
        replacement = draft.replace(path, after)
        return replacement if len(replacement) < least else b""


def are_strangers(before: Json, after: Json) -> bool:
    """Say whether two items are objects that share no value, flags and empty values aside: one is gone, one is new."""
    if type(before) is not dict or type(after) is not dict:
        return False
    for name, value in before.items():  # noqa: SIM110  # twice as fast as a generator, and these are many
        if value and value is not True and value == after.get(name):
            return False
    return True


def leaving_members(
    before: dict[str, Json], after: dict[str, Json], moved: Container[str] = ()
) -> dict[str | None, list[str]]:
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
