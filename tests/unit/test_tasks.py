"""Tasks end with the context they were begun in, whatever becomes of their cancellation."""

import asyncio

import pytest

from service import tasks
from service.tasks import end, running


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_PATIENCE_S", 0.01)


async def test_work_ends_with_the_context() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("work")

    async with running(work()):
        await asyncio.sleep(0)

    assert ended == ["work"]


async def test_a_cancellation_that_is_lost_is_sent_again() -> None:
    """The way of a cursor whose closing fails: the failure takes the place of the cancellation."""
    rounds = 0

    async def work() -> None:
        nonlocal rounds
        while True:
            try:
                rounds += 1
                await asyncio.Event().wait()
            finally:
                if rounds < 3:
                    continue  # noqa: B012 - loses it

    async with asyncio.timeout(10), running(work()):
        await asyncio.sleep(0)

    assert rounds == 3


async def test_a_cleanup_that_hangs_is_cancelled_too() -> None:
    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.Event().wait()

    async with asyncio.timeout(10), running(work()):
        await asyncio.sleep(0)


async def test_what_the_work_failed_with_is_raised() -> None:
    async def work() -> None:
        raise LookupError("odd")

    with pytest.raises(LookupError, match="odd"):
        async with running(work()):
            await asyncio.sleep(0)


async def test_the_end_waits_for_all_and_raises_nothing() -> None:
    async def fail() -> None:
        raise LookupError("odd")

    ended = [asyncio.create_task(fail()), asyncio.create_task(asyncio.sleep(3600))]
    await asyncio.sleep(0)

    await end(*ended)

    assert isinstance(ended[0].exception(), LookupError)
    assert ended[1].cancelled()
