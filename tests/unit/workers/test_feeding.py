"""Followers woken by signals; signals followed while there are followers, and left when the service stops."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from service.tasks import running
from service.workers import feeding
from service.workers.feeding import Watch


class Signals:
    """Whether they are followed, and one each time that they are."""

    def __init__(self) -> None:
        self.is_open = False

    async def follow(self) -> AsyncGenerator[bool, None]:
        self.is_open = True
        try:
            yield True
            while True:
                await asyncio.sleep(0)
                yield False
        finally:
            self.is_open = False


async def test_signals_are_followed_while_somebody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all that is written the database would look whether it is one."""
    monkeypatch.setattr(feeding, "_UNWANTED_AFTER_S", 0.01)
    signals = Signals()
    watch = Watch(signals)
    async with running(watch.run()), asyncio.timeout(30):
        for count in (1, 2):
            await asyncio.sleep(0.01)
            assert not signals.is_open
            while watch.count < count:
                await watch.changed(watch.count, 1)
            while signals.is_open:
                await asyncio.sleep(0)


async def test_signals_are_left_with_the_watch_wherever_it_is_ended() -> None:
    """Also where it is waking followers: else the database would be told later, and may be closed by then."""
    signals = Signals()
    watch = Watch(signals)
    async with watch._changed:
        watching = asyncio.create_task(watch.run())
        watch._is_wanted.set()
        while not signals.is_open:
            await asyncio.sleep(0)
        were_open: list[bool] = []
        watching.add_done_callback(lambda _: were_open.append(signals.is_open))
        watching.cancel()
        await asyncio.wait({watching})

    assert were_open == [False]
