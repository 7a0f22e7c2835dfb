"""What was found out about credentials a moment ago: it takes too long to be found out for every request."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")

_FOR_S = 2.0
"""A revoked key stops working after at most so long; a busy one is looked up, a busy token verified, this seldom."""
_MOST = 10_000


class Remembered(Generic[Value]):
    """Values by a text, each for two seconds; of too many those that were found out first go."""

    def __init__(self) -> None:
        self._values: OrderedDict[str, tuple[float, Value]] = OrderedDict()

    async def find(self, name: str, find_out: Callable[[], Awaitable[Value]]) -> Value:
        """Return what was found out lately, or find it out; what that raises is not remembered."""
        now = time.monotonic()
        if (known := self._values.get(name)) is not None and now - known[0] < _FOR_S:
            return known[1]
        value = await find_out()
        self._values[name] = (now, value)
        self._values.move_to_end(name)
        if len(self._values) > _MOST:
            self._values.popitem(last=False)
        return value
