"""What a courier does, taken to a point where nothing is left to do."""

import asyncio

from service.workers.courier import Courier


async def deliver_due(courier: Courier) -> int:
    """Have all delivered that is due now; return how many were tried. What fails lets the others come to their end."""
    count = 0
    try:
        while (has_begun := await courier.begin_next()) or courier.under_way.tasks:
            count += has_begun
            if not has_begun:
                await asyncio.wait(courier.under_way.tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if courier.under_way.tasks:
            await asyncio.wait(courier.under_way.tasks)
    return count
