"""A patch under way: its operations as JSON texts, and the containers they change, replaced where that is smaller."""

from itertools import accumulate

import msgspec

from service.core import values
from service.core.pointer import escape
from service.core.values import Json

_OVERHEAD = len('{"op":"replace","path":"","value":},')
_DIRECT_LEVELS = 8
"""A container at most so deep is encoded to know its size, whatever it holds; a deeper one part by part."""

Frame = tuple[int, int, bytes, Json, Json, bool]
"""A changed container: the first of its operations, the one behind the last, its path, what it was and becomes, and
whether a replacement needs a `test`."""


class _Tokens(dict[str, bytes]):
    """The names of members as they stand in paths: behind a slash, escaped for a pointer and for JSON.

    Names come again and again, so those that are not long are kept for a while.
    """

    def __missing__(self, name: str) -> bytes:
        token = b"/" + values.encode(escape(name))[1:-1]
        if len(token) <= _MAX_TOKEN:
            if len(self) >= _MAX_TOKENS:
                self.clear()
            self[name] = token
        return token


_MAX_TOKEN = 64
_MAX_TOKENS = 8192
TOKENS = _Tokens()


class Draft(msgspec.Struct):
    """Operations in order, and the frames around them: inner ones before those that hold them."""

    operations: list[bytes]
    frames: list[Frame]

    def text(self) -> bytes:
        """Give the patch."""
        return b"[" + b",".join(self.operations) + b"]"

    def shorten(self) -> None:
        """Replace containers wherever that is smaller, from the innermost outwards."""
        self.operations = _Shortening(self.operations).through(self.frames)


def add(path: bytes, value: Json) -> bytes:
    """Write the operation that adds a value."""
    return b'{"op":"add","path":"' + path + b'","value":' + values.encode(value) + b"}"


def move(source: bytes, path: bytes) -> bytes:
    """Write the operation that moves a value."""
    return b'{"op":"move","from":"' + source + b'","path":"' + path + b'"}'


def remove(path: bytes) -> bytes:
    """Write the operation that removes a value."""
    return b'{"op":"remove","path":"' + path + b'"}'


def replace(path: bytes, value: Json) -> bytes:
    """Write the operation that replaces a value."""
    return b'{"op":"replace","path":"' + path + b'","value":' + values.encode(value) + b"}"


def tested(path: bytes, value: Json, operation: bytes) -> bytes:
    """Write an operation behind the `test` that makes it invertible."""
    return b'{"op":"test","path":"' + path + b'","value":' + values.encode(value) + b"}," + operation


class _Shortening:
    """One way through the frames of a patch, on which every byte that is looked at is looked at a few times only."""

    def __init__(self, operations: list[bytes]) -> None:
        self._operations = operations
        self._ends = list(accumulate(map(len, operations), initial=0))
        self._replaced: list[tuple[int, int, bytes]] = []
        self._seen: list[tuple[int, int, int]] = []
        """Of frames not yet held by another: the start, the bytes saved inside, the least size of what it becomes."""
        self._sizes: dict[int, int] = {}

    def through(self, frames: list[Frame]) -> list[bytes]:
        """Give the operations with those of some frames replaced by one."""
        for frame in frames:
            self._look_at(*frame)
        result: list[bytes] = []
        place = 0
        for start, end, replacement in self._replaced:
            result += self._operations[place:start]
            result.append(replacement)
            place = end
        return result + self._operations[place:]

    def _look_at(self, start: int, end: int, path: bytes, before: Json, after: Json, is_invertible: bool) -> None:
        saved = least = 0
        while self._seen and self._seen[-1][0] >= start:
            _, inner_saved, inner_least = self._seen.pop()
            saved, least = saved + inner_saved, least + inner_least - 1
        least += _least_size(after)
        size = self._ends[end] - self._ends[start] + end - start - saved  # a comma behind each
        room = size - _OVERHEAD - len(path)
        is_deep = path.count(b"/") > _DIRECT_LEVELS
        if is_deep:
            least = self._sizes[id(after)] = _size_with(after, self._sizes)
        if room > least:
            replacement = replace(path, after)
            least = len(replacement) + 1 - _OVERHEAD - len(path)
            if room > least:
                saved += self._take(
                    start, end, size, tested(path, before, replacement) if is_invertible else replacement
                )
        self._seen.append((start, saved, least))

    def _take(self, start: int, end: int, size: int, replacement: bytes) -> int:
        """Take the replacement if it is smaller, and give the bytes saved."""
        saved = size - len(replacement) - 1
        if saved <= 0:
            return 0
        while self._replaced and self._replaced[-1][0] >= start:
            self._replaced.pop()
        self._replaced.append((start, end, replacement))
        return saved


def _least_size(container: Json) -> int:
    """Give what a container takes at least when encoded, by its names and the number of its parts."""
    if type(container) is dict:
        return 1 + 5 * len(container) + sum(map(len, container))
    return 1 + 2 * len(container)


def _size_with(container: Json, known: dict[int, int]) -> int:
    """Give the encoded size of a container, of whose children some are known by `id`."""
    if type(container) is dict:
        rest: Json = {name: member for name, member in container.items() if id(member) not in known}
        parts = [
            len(values.encode(name)) + 1 + known[id(each)] for name, each in container.items() if id(each) in known
        ]
    else:
        rest = [item for item in container if id(item) not in known]
        parts = [known[id(item)] for item in container if id(item) in known]
    commas = len(container) - max(len(rest), 1)
    return len(values.encode(rest)) + sum(parts) + commas
