"""What a comparison found, as a tree of changed containers; made smaller where one `replace` says the same."""

from service.core import values
from service.core.operation import Operation
from service.core.values import Json


class Edit:
    """A container that changes: its operations, and the containers in it that change, in the order of the patch.

    A fixed one may not be replaced as a whole, because it holds something that the patch has to leave alone.
    """

    __slots__ = ("_size", "after", "before", "is_fixed", "is_invertible", "parts", "path")

    def __init__(
        self, path: str, before: Json, after: Json, *, is_fixed: bool = False, is_invertible: bool = False
    ) -> None:
        self.path = path
        self.before = before
        self.after = after
        self.is_fixed = is_fixed
        self.is_invertible = is_invertible
        self.parts: list[Operation | Edit] = []
        self._size = 0

    def operations(self) -> list[Operation]:
        """Give the operations of the whole tree, in order."""
        found: list[Operation] = []
        self.collect(found)
        return found

    def shorten(self) -> int:
        """Replace containers wherever that is smaller, from the innermost outwards, and give the size in bytes."""
        size = sum(part.shorten() if isinstance(part, Edit) else encoded_size(part) + 1 for part in self.parts)
        if self.is_fixed or size <= self._least_replacement():
            return size
        replacement = self.replacement()
        replacement_size = _OVERHEAD + encoded_size(self.path) + self.size()
        if self.is_invertible:
            replacement_size += encoded_size(replacement[0]) + 1
        if replacement_size < size:
            self.parts = [*replacement]
            return replacement_size
        return size

    def size(self) -> int:
        """Give the encoded size of the container as it becomes; every part of it is encoded but once."""
        if not self._size:
            inner = {id(part.after): part.size() for part in self.parts if isinstance(part, Edit)}
            self._size = _size_with(self.after, inner)
        return self._size

    def replacement(self) -> list[Operation]:
        """Give the operations that replace the container as a whole."""
        return replace(self.path, self.before, self.after, is_invertible=self.is_invertible)

    def _least_replacement(self) -> int:
        """Give what a replacement takes at least, without looking into the container."""
        per_child = 5 if isinstance(self.after, dict) else 2
        return _OVERHEAD + len(self.path) + per_child * len(self.after)

    def collect(self, found: list[Operation]) -> None:
        """Append the operations of the whole tree."""
        for part in self.parts:
            if isinstance(part, Edit):
                part.collect(found)
            else:
                found.append(part)


def replace(path: str, before: Json, after: Json, *, is_invertible: bool) -> list[Operation]:
    """Give the operation that replaces a value, after a `test` of the old one if it is to be invertible."""
    replacing = {"op": "replace", "path": path, "value": after}
    return [{"op": "test", "path": path, "value": before}, replacing] if is_invertible else [replacing]


def remove(path: str, before: Json, *, is_invertible: bool) -> list[Operation]:
    """Give the operation that removes a value, after a `test` of it if it is to be invertible."""
    removing = {"op": "remove", "path": path}
    return [{"op": "test", "path": path, "value": before}, removing] if is_invertible else [removing]


def move(source: str, path: str) -> Operation:
    """Give the operation that moves a value."""
    return {"op": "move", "from": source, "path": path}


def encoded_size(value: Json) -> int:
    """Give the size of a value as compact JSON, in bytes."""
    return len(values.encode(value))


_OVERHEAD = encoded_size({"op": "replace", "path": "", "value": 0}) - len('""0') + len(",")


def _size_with(container: Json, known: dict[int, int]) -> int:
    """Give the encoded size of a container, of whose children some are known by `id`."""
    if not known:
        return encoded_size(container)
    if isinstance(container, dict):
        rest: Json = {name: member for name, member in container.items() if id(member) not in known}
        names = sum(encoded_size(name) + 1 for name, member in container.items() if id(member) in known)
    else:
        rest, names = [item for item in container if id(item) not in known], 0
    commas = len(container) - max(len(rest), 1)
    return encoded_size(rest) + names + commas + sum(known.values())
