"""Rates: a token bucket per caller, in a table of bounded size."""

from collections import OrderedDict
from typing import NamedTuple

_MOST_CALLERS = 50_000
_LONGEST_S = 86_400.0


class _Bucket(NamedTuple):
    tokens: float
    at: float


class RateLimiter:
    """Lets every caller do `rate` requests per second, with bursts of two seconds' worth; 0 limits nothing.

    Each process counts for itself. The caller seen longest ago is forgotten first when the table is full.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._burst = max(1.0, 2 * rate)
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, caller: str, now: float) -> float:
        """Count a request at the monotonic time `now`; return 0, or the seconds after which one would be let in.

        Nobody is told to wait for longer than a day.
        """
        if self.rate <= 0:
            return 0.0
        bucket = self._buckets.pop(caller, _Bucket(self._burst, now))
        tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self.rate)
        wait = 0.0 if tokens >= 1 else min((1 - tokens) / self.rate, _LONGEST_S)
        self._buckets[caller] = _Bucket(tokens if wait else tokens - 1, now)
        if len(self._buckets) > _MOST_CALLERS:
            self._buckets.popitem(last=False)
        return wait
