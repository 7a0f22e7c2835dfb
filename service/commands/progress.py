"""A progress bar."""

import sys
import time
from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with how many things are done, and how many there are about."""


def make_bar(what: str) -> Progress:
    """Return what draws a progress bar on a terminal, and nothing elsewhere."""
    shown_at = 0.0

    def show(done: int, total: int) -> None:
        nonlocal shown_at
        now = time.monotonic()
        if sys.stderr.isatty() and (now - shown_at > 0.1 or done >= total):
            shown_at = now
            share = min(1.0, done / total) if total else 1.0
            end = "\n" if done >= total else ""
            print(f"\r{what} [{'#' * round(share * 30):<30}] {done:,}", end=end, file=sys.stderr)

    return show
