"""What was found out about credentials a moment ago: it takes too long to be found out for every request."""

import time
from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar("Value")

_FOR_S = 2.0
"""A revoked key stops working after at most so long; a busy one is looked up, a busy token verified, this seldom."""
_MOST = 10_000


class Remembered(Generic[Value]):
    """Values by a text, each for two seconds; of too many those that were found out first go."""

    def __init__(self) -> None:
        self._values: OrderedDict[str, tuple[float, Value]] = OrderedDict()

    def find(self, name: str) -> Value:
        """Return what was found out lately; raise `KeyError` where nothing was."""
        at, value = self._values[name]
        if time.monotonic() - at >= _FOR_S:
            raise KeyError(name)
        return value

    def put(self, name: str, value: Value) -> None:
        """Remember what has been found out now."""
        self._values[name] = (time.monotonic(), value)
        self._values.move_to_end(name)
        if len(self._values) > _MOST:
            self._values.popitem(last=False)
