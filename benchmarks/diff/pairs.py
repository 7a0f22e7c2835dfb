"""What is compared: the corpus, where there is one, and series that grow."""

import json
import random
from pathlib import Path
from typing import Any, NamedTuple

CLASSES = {"small": 4_096, "medium": 200_000, "large": 3_000_000, "very large": 21_000_000}
SIZES = (1_000, 10_000, 100_000, 1_000_000)


class Pair(NamedTuple):
    name: str
    before: bytes
    after: bytes

    @property
    def kind(self):
        size = max(len(self.before), len(self.after))
        return next(kind for kind, limit in CLASSES.items() if size < limit)


def corpus(folder):
    if folder is None or not Path(folder).is_dir():
        return
    for path in sorted(Path(folder).glob("*.a.json")):
        name = path.name.removesuffix(".a.json")
        yield Pair(name, path.read_bytes(), path.with_name(f"{name}.b.json").read_bytes())


def generated():
    """Documents of the classes that the corpus has few of."""
    edits = {"1 % edited": edited, "one at the head": headed, "members renamed": renamed}
    for size in (10, 20, 200, 1_000, 5_000, 20_000, 100_000):
        items = make_items(size)
        for name, edit in list(edits.items())[: 1 if size > 50_000 else None]:
            yield Pair(f"{size} items, {name}", *map(to_text, (items, edit(items))))


def growing(name, size):
    """A pair of one of the series, of `size` elements."""
    return Pair(f"{name} {size}", *map(to_text, SERIES[name](size)))


def to_text(document):
    return json.dumps(document, separators=(",", ":")).encode()


def make_items(size):
    generator = random.Random(size)
    return [
        {
            "id": place,
            "name": f"item {place}",
            "tags": [generator.choice(["red", "green", "blue"]) for _ in range(3)],
            "price": generator.randrange(10_000) / 100,
            "in": {"stock": generator.random() < 0.5, "since": None},
        }
        for place in range(size)
    ]


def edited(items):
    generator = random.Random(1)
    items = json.loads(json.dumps(items))
    for place in generator.sample(range(len(items)), max(1, len(items) // 100)):
        items[place]["price"] += 1
    return items


def headed(items):
    return [{"id": -1, "name": "first"}, *items]


def renamed(items):
    return [{("title" if name == "name" else name): value for name, value in item.items()} for item in items]


def _numbers(change):
    def make(size):
        generator = random.Random(2)
        before = [generator.randrange(10**9) for _ in range(size)]
        return before, change(before, generator)

    return make


def _one_percent(values, generator):
    after = list(values)
    for place in generator.sample(range(len(values)), max(1, len(values) // 100)):
        after[place] = -after[place] - 1
    return after


def _digits(size):
    generator = random.Random(3)
    before = [generator.randrange(10) for _ in range(size)]
    after = list(before)
    for place in sorted(generator.sample(range(size), size // 200), reverse=True):
        after[place : place + generator.randrange(2)] = [generator.randrange(10)]
    return before, after


def _members(size):
    before = {f"member {place}": place for place in range(size)}
    return before, before | {f"member {place}": -1 for place in range(0, size, 100)}


def _chain(size):
    before: Any = "a"
    after: Any = "b"
    for level in range(min(size, 200)):
        before, after = {"in": before, "n": level}, {"in": after, "n": level}
    return before, after


def _matrix(size):
    side = int(size**0.5)
    before = [[row * side + column for column in range(side)] for row in range(side)]
    after = [list(row) for row in before]
    for row in range(0, side, 10):
        after[row][row] = -1
    return before, after


def _words(size):
    words = [f"word{place}" for place in range(size)]
    return {"text": " ".join(words)}, {"text": " ".join([*words[: size // 2], "new", *words[size // 2 :]])}


def _shuffled(size):
    items = [{"id": place, "name": f"item {place}"} for place in range(size)]
    return items, random.Random(4).sample(items, size)


def _objects(change):
    def make(size):
        before = [{"id": place, "name": f"item {place}"} for place in range(size)]
        return before, change(before)

    return make


SERIES = {
    "objects, one at the head": _objects(headed),
    "objects, 1 % edited": _objects(
        lambda items: [item | {"name": "new"} if not item["id"] % 100 else item for item in items]
    ),
    "objects, shuffled": _shuffled,
    "objects, a member renamed": _objects(renamed),
    "numbers, 1 % edited": _numbers(_one_percent),
    "numbers, all different": _numbers(lambda values, _: [-value - 1 for value in values]),
    "random digits, 1 in 200 edited": _digits,
    "one object, 1 % edited": _members,
    "a chain, up to 200 levels": _chain,
    "a matrix": _matrix,
    "a text, one word more": _words,
}
