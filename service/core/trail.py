"""A walk along a JSON Pointer pattern, one token at a time."""

from service.core.options import Pattern


class Trail:
    """Where a walk stands in one pattern: `matched` here and nowhere else, `covered` here or above."""

    __slots__ = ("_positions", "covered", "matched", "pattern")

    def __init__(self, pattern: Pattern, positions: frozenset[int] = frozenset({0}), *, covered: bool = False) -> None:
        reached = set(positions)
        for position in positions:
            following = position
            while following < len(pattern) and pattern[following] == "**":
                following += 1
                reached.add(following)
        self.pattern = pattern
        self._positions = frozenset(reached)
        self.matched = len(pattern) in reached
        self.covered = covered or self.matched

    def __eq__(self, other: object) -> bool:
        """Compare what can become of the walks from here on."""
        return isinstance(other, Trail) and self._state() == other._state()

    def __hash__(self) -> int:
        return hash(self._state())

    @property
    def is_lost(self) -> bool:
        """Whether the pattern can match nothing here or below."""
        return not self._positions and not self.covered

    def step(self, token: str | None) -> "Trail":
        """Follow the pattern by one unescaped token; None is one that the pattern does not name.

        >>> Trail(("**", "id")).step("a").step("id").matched
        True
        """
        pattern = self.pattern
        positions = frozenset(
            position if pattern[position] == "**" else position + 1
            for position in self._positions
            if position < len(pattern) and pattern[position] in {"*", "**", token}
        )
        return Trail(pattern, positions, covered=self.covered)

    def _state(self) -> tuple[Pattern, frozenset[int], bool]:
        return self.pattern, self._positions, self.covered
