"""Where the items of an array stand while a patch is at work on it from the last item to the first."""

from service.core.pairing import Pair


class Places:
    """The places of items when none moves: what has been changed lies behind, and every index is that of before.

    `indexes` are the true indexes of items in an array of `length`, where some take no part in the comparison.
    """

    def __init__(self, indexes: list[int] | None = None, length: int = 0) -> None:
        self._indexes = indexes
        self._length = length

    def of(self, item: int) -> int:
        """Give the index of an item that has not been passed."""
        return item if self._indexes is None else self._indexes[item]

    def behind(self, items: int) -> int:
        """Give the index at which a value arrives to stand behind the first `items` items."""
        if self._indexes is None:
            return items
        return self._indexes[items] if items < len(self._indexes) else self._length

    def leaves(self, _item: int) -> bool:
        """Say whether an item without a mate is removed, and pass it."""
        return True

    def take(self, _item: int, _front: int) -> tuple[int, int] | None:
        """Give the item that becomes an item of `after`, and the index from which it moves, if one does."""
        return None

    def add_behind(self, count: int) -> None:
        """Count items that are passed, or have arrived."""


class ShiftingPlaces(Places):
    """The places of items when some move.

    In front are the items not yet passed, without those taken from among them. Behind are the items passed, without
    those removed: of them, one that moves further to the front is parked where it is until its turn comes.
    """

    def __init__(self, size: int, moved: list[Pair]) -> None:
        super().__init__()
        self._sources = {there: here for here, there in moved}
        self._moving = {here for here, _ in moved}
        self._taken = _Tally(size)
        self._unparked = _Tally(len(moved))
        self._parked: dict[int, tuple[int, int]] = {}
        self._behind = 0

    def of(self, item: int) -> int:
        """Give the index of an item that has not been passed."""
        return item - self._taken.below(item)

    def behind(self, items: int) -> int:
        """Give the index at which a value arrives to stand behind the first `items` items."""
        return self.of(items)

    def leaves(self, item: int) -> bool:
        """Say whether an item without a mate is removed, and pass it; one that has yet to move is parked."""
        if item not in self._moving:
            return True
        if self._taken.below(item + 1) == self._taken.below(item):
            # Those that left before it parked are not behind it; counting them here makes up for it in `take`.
            turn = len(self._parked)
            self._parked[item] = (turn, self._behind + self._unparked.below(turn))
            self._behind += 1
        return False

    def take(self, item: int, front: int) -> tuple[int, int] | None:
        """Give the item that becomes an item of `after`, and the index from which it moves, if one does.

        `front` items are not yet passed.
        """
        source = self._sources.get(item)
        if source is None:
            return None
        if source not in self._parked:
            index = self.of(source)
            self._taken.add(source)
            return source, index
        turn, behind_it = self._parked[source]
        index = self.of(front) + self._behind - 1 - (behind_it - self._unparked.below(turn))
        self._unparked.add(turn)
        self._behind -= 1
        return source, index

    def add_behind(self, count: int) -> None:
        """Count items that are passed, or have arrived."""
        self._behind += count


class _Tally:
    """Counts marks below a place in logarithmic time (a Fenwick tree)."""

    def __init__(self, size: int) -> None:
        self._sums = [0] * (size + 1)

    def add(self, place: int) -> None:
        place += 1
        while place < len(self._sums):
            self._sums[place] += 1
            place += place & -place

    def below(self, place: int) -> int:
        total = 0
        while place:
            total += self._sums[place]
            place &= place - 1
        return total
