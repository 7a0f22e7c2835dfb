"""When a delivery that failed is tried again."""

import zlib

SCHEDULE_S = (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600)
"""Seconds before each try, the first one at once."""
_JITTER = 0.2
_LONGEST_WISH_S = 24 * 3600


def wait_before(tries: int, key: str, wish_s: float | None = None) -> float | None:
    """Return the seconds to wait after so many failed tries, None when there is no further one.

    Up to a fifth is added, different for every `key`, so that deliveries that failed together do not come back
    together. A longer wish of the receiver (`Retry-After`) is followed, up to a day.

    >>> wait_before(0, "a"), wait_before(8, "a"), wait_before(1, "a", wish_s=60.0) >= 60
    (0.0, None, True)
    """
    if tries >= len(SCHEDULE_S):
        return None
    jitter = zlib.crc32(f"{key}:{tries}".encode()) / 2**32 * _JITTER
    return max(SCHEDULE_S[tries] * (1 + jitter), min(wish_s or 0.0, _LONGEST_WISH_S))
