"""Random JSON documents and edits of them from a seed: a thousand times as quick as drawing them, for long runs."""

import random
from typing import Any

SCALARS: list[Any] = [
    None, True, False, 0, 1, -1, 0.0, 1.0, 1.5, 1e16, 10**16, 10**30, "", "a", "b", "é", "/", "~", "0",
    "a longer text to be changed in one word",
]  # fmt: skip
NAMES = ["a", "b", "c", "id", "", "/", "~", "~1", "0", "-", "é"]


class Documents:
    """A source of documents; equal seeds give equal documents."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def document(self, depth: int = 4) -> Any:
        kind = self._random.random()
        size = self._random.randrange(7)
        if depth == 0 or kind < 0.3:
            return self._random.choice(SCALARS)
        if kind < 0.6:
            return [self.document(depth - 1) for _ in range(size)]
        if kind < 0.7:
            return [{"id": place, "v": self.document(depth - 2 if depth > 1 else 0)} for place in range(size * 2)]
        return {self._random.choice(NAMES): self.document(depth - 1) for _ in range(size)}

    def edited(self, value: Any, rate: float) -> Any:
        """Change the value here and there."""
        roll = self._random.random
        if roll() < rate / 3:
            return self.document(2)
        if isinstance(value, dict):
            result = {name: self.edited(member, rate) for name, member in value.items() if roll() > rate / 3}
            if roll() < rate:
                result[self._random.choice(NAMES)] = self.document(2)
            return dict(self._shuffled(list(result.items()), rate))
        if isinstance(value, list):
            items = [self.edited(item, rate) for item in value if roll() > rate / 3]
            if roll() < rate:
                items.insert(self._random.randrange(len(items) + 1), self.document(2))
            return self._shuffled(items, rate)
        return self._random.choice(SCALARS) if roll() < rate else value

    def pair(self) -> tuple[Any, Any]:
        before = self.document()
        if self._random.random() < 0.2:
            return before, self.document()
        return before, self.edited(before, self._random.choice([0.02, 0.1, 0.3, 0.6]))

    def _shuffled(self, items: list[Any], rate: float) -> list[Any]:
        if self._random.random() < rate / 2:
            self._random.shuffle(items)
        return items
