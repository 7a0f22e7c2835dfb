"""Comparing into a delta, merging and grafting: whatever the compare family is asked for beside a patch."""

from collections.abc import Mapping

from service.core.assignment import AnyAssignment, Product
from service.ports import Runner


async def carry_out(assignment: AnyAssignment, texts: Mapping[str, bytes], runner: Runner) -> Product:
    """Do what is asked for with the inputs' texts, off the event loop.

    Raises what the assignment raises, `TooComplexError` after the time limit, `OverloadedError` when the queue is full.
    """
    return await runner.run(assignment, texts)
