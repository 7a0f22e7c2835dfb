"""Rests that grow while nothing is found, and end at once when there is work."""

import asyncio
import time

from service.workers.calm import Calm


async def rested(calm: Calm) -> float:
    """Rest once; return how long it took."""
    began = time.monotonic()
    await calm.rest()
    return time.monotonic() - began


async def test_rests_grow_up_to_the_longest() -> None:
    calm = Calm(0.02, 0.08)
    rests = [await rested(calm) for _ in range(4)]
    assert all(rest >= least * 0.9 for rest, least in zip(rests, (0.02, 0.04, 0.08, 0.08), strict=True)), rests


async def test_stir_ends_a_rest_and_makes_the_next_ones_short() -> None:
    calm = Calm(0.02, 3600)
    for _ in range(2):
        await calm.rest()
    calm.stir()
    assert await rested(calm) >= 0.02 * 0.9
    resting = asyncio.create_task(Calm(3600, 3600).rest())
    await asyncio.sleep(0)
    assert not resting.done()
    resting.cancel()
    long = Calm(3600, 3600)
    resting = asyncio.create_task(long.rest())
    await asyncio.sleep(0)
    long.stir()
    async with asyncio.timeout(60):
        await resting
