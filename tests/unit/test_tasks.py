"""Tasks end with the context they were begun in, whatever becomes of their cancellation."""

import asyncio
import gc
from typing import Any

import pytest

from service import tasks
from service.tasks import end, running, to_its_end, together


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


async def test_works_end_at_once_not_one_after_the_other() -> None:
    all_are_ending = asyncio.Barrier(3)

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await all_are_ending.wait()
            raise

    async with asyncio.timeout(10), running(work(), work()):
        await asyncio.sleep(0)
        waiting = asyncio.create_task(all_are_ending.wait())
    await asyncio.wait_for(waiting, 10)


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


async def test_what_ended_work_failed_with_is_not_complained_of_later() -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise LookupError("the cleanup failed")

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await end(task)
    del task
    gc.collect()

    assert complaints == []


async def test_works_that_are_done_together_give_their_results_in_order() -> None:
    async def after(turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns

    assert await together(map(after, (3, 1, 2))) == [3, 1, 2]


async def test_the_first_failure_ends_the_others_before_it_is_raised() -> None:
    ended: list[str] = []

    async def fail() -> None:
        raise LookupError("odd")

    async def go_on() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("other")

    with pytest.raises(LookupError, match="odd"):
        await together([go_on(), fail(), go_on()])

    assert ended == ["other", "other"]


async def test_a_cancellation_ends_all_before_it_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_PATIENCE_S", 30)
    ended: list[int] = []

    async def go_on(turns: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(turns):
                await asyncio.sleep(0)
            ended.append(turns)

    caller = asyncio.create_task(together([go_on(1), go_on(9)]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.wait({caller})

    assert caller.cancelled()
    assert ended == [1, 9]


async def test_work_that_is_begun_comes_to_its_end() -> None:
    """The caller is cancelled when it is over, not before."""
    may_end, has_ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await may_end.wait()
        has_ended.set()

    caller = asyncio.create_task(to_its_end(work()))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()

    may_end.set()
    await asyncio.wait({caller}, timeout=10)

    assert (caller.cancelled(), has_ended.is_set()) == (True, True)
