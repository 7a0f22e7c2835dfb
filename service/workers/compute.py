"""Heavy comparisons, off the event loop."""

import asyncio

from service.core.diff import Outcome, compare_bytes
from service.core.options import DiffOptions


class ThreadComparer:
    """Compares in a thread."""

    async def compare(self, before: bytes, after: bytes, options: DiffOptions) -> Outcome:
        """Return the patch that turns `before` into `after`."""
        return await asyncio.to_thread(compare_bytes, before, after, options)
