"""Followers woken by signals, and signals left when the service stops."""

import asyncio
from collections.abc import AsyncGenerator

from service.workers.feeding import Watch


class Signals:
    """One signal, and what was opened for it."""

    def __init__(self) -> None:
        self.is_open = False

    async def follow(self) -> AsyncGenerator[None, None]:
        self.is_open = True
        try:
            yield
            await asyncio.Event().wait()
        finally:
            self.is_open = False


async def test_signals_are_left_with_the_watch_wherever_it_is_ended() -> None:
    """Also where it is waking followers: else the database would be told later, and may be closed by then."""
    signals = Signals()
    watch = Watch(signals)
    async with watch._changed:
        watching = asyncio.create_task(watch.run())
        while not signals.is_open:
            await asyncio.sleep(0)
        were_open: list[bool] = []
        watching.add_done_callback(lambda _: were_open.append(signals.is_open))
        watching.cancel()
        await asyncio.wait({watching})

    assert were_open == [False]
