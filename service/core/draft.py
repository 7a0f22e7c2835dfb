"""A patch under way: its operations as JSON texts, and the containers they change, replaced where that is smaller."""

from itertools import accumulate

import msgspec

from service.core import values
from service.core.pointer import escape
from service.core.values import Json

_OVERHEAD = len('{"op":"replace","path":"","value":},')
_DIRECT_LEVELS = 8
"""The size of a container that lies deeper is always found: else a chain of them could be encoded again and again."""

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
        self.operations = _shortened(self.operations, self.frames)


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


def _shortened(operations: list[bytes], frames: list[Frame]) -> list[bytes]:
    """Give the operations with those of some frames replaced by one: wherever that is smaller, inner frames first.

    No byte is looked at more than a few times: of a container whose parts are known, only the rest is encoded.
    """
    ends = list(accumulate(map(len, operations), initial=0))
    sizes: dict[int, int] = {}
    replaced: list[Frame] = []
    seen: list[tuple[int, int, int]] = []  # frames no other holds yet: the start, the bytes saved, the size or less
    for frame in frames:
        start, end, path, before, after, is_invertible = frame
        saved, least = 0, 1 + (5 if type(after) is dict else 2) * len(after)
        is_outer = bool(seen) and seen[-1][0] >= start
        while seen and seen[-1][0] >= start:
            _, inner_saved, inner_least = seen.pop()
            saved, least = saved + inner_saved, least + inner_least - 1
        room = ends[end] - ends[start] + end - start - saved - _OVERHEAD - len(path)  # a comma behind each
        if room > least or path.count(b"/") > _DIRECT_LEVELS:
            least = sizes[id(after)] = _size_with(after, sizes) if is_outer else len(values.encode(after))
            room -= len(tested(path, before, b"")) if is_invertible else 0
            if room > least:
                saved += room - least
                while replaced and replaced[-1][0] >= start:
                    replaced.pop()
                replaced.append(frame)
        seen.append((start, saved, least))
    return _with_replacements(operations, replaced)


def _with_replacements(operations: list[bytes], frames: list[Frame]) -> list[bytes]:
    result: list[bytes] = []
    place = 0
    for start, end, path, before, after, is_invertible in frames:
        replacement = replace(path, after)
        result += operations[place:start]
        result.append(tested(path, before, replacement) if is_invertible else replacement)
        place = end
    return result + operations[place:]


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
