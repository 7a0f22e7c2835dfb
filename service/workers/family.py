"""The compare family's pure work, off the event loop and within its time."""

import asyncio
from collections.abc import Mapping

from service.core.assignment import AnyAssignment, Product


class ThreadRunner:
    """Carries assignments out in threads."""

    async def run(self, assignment: AnyAssignment, texts: Mapping[str, bytes]) -> Product:
        """Do what is asked for with the inputs' texts."""
        return await asyncio.to_thread(assignment.run, texts)
