"""Rounds that nothing ends, on a clock that counts what they would have slept."""

import asyncio
import logging
from collections.abc import Iterable

import pytest

from service.errors import StoreUnavailableError
from service.workers.background import forever

AWAY = StoreUnavailableError("away")


class Enough(BaseException):
    """Ends the rounds, as a cancellation would."""


class Rounds:
    """Work whose rounds come out as they are told, and a sleep that takes no time."""

    def __init__(self, outcomes: Iterable[float | Exception]) -> None:
        self.outcomes = list(outcomes)
        self.slept: list[float] = []

    async def work(self) -> float:
        if not self.outcomes:
            raise Enough
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def play(*outcomes: float | Exception) -> list[float]:
    rounds = Rounds(outcomes)
    with pytest.raises(Enough):
        await forever("test", rounds.work, sleep=rounds.sleep)
    return rounds.slept


async def test_a_round_says_how_long_to_wait_for_the_next() -> None:
    assert await play(0.0, 0.5, 3600.0) == [0.0, 0.5, 3600.0]


async def test_a_round_without_the_database_is_done_again_shortly_after() -> None:
    assert await play(AWAY, AWAY, AWAY, 0.5) == [2.0, 2.0, 2.0, 0.5]


async def test_the_pause_grows_with_failures_that_nobody_foresaw() -> None:
    odd = [RuntimeError("odd")] * 7

    assert await play(*odd) == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


async def test_a_round_that_succeeds_ends_the_growth() -> None:
    assert await play(RuntimeError("odd"), RuntimeError("odd"), 0.5, RuntimeError("odd")) == [2.0, 4.0, 0.5, 2.0]


async def test_only_the_first_failure_of_a_kind_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)

    await play(RuntimeError("odd"), RuntimeError("odd"), LookupError("odder"), AWAY)

    told = [(record.getMessage(), bool(record.exc_info)) for record in caplog.records]
    assert told == [
        ("test: a round failed: RuntimeError", True),
        ("test: a round failed: RuntimeError", False),
        ("test: a round failed: LookupError", True),
    ]


@pytest.mark.parametrize("error", [AWAY, RuntimeError("odd")], ids=["store", "other"])
async def test_rounds_end_where_a_failing_cleanup_takes_the_place_of_a_cancellation(error: Exception) -> None:
    rounds = 0

    async def work() -> float:
        nonlocal rounds
        rounds += 1
        try:
            await asyncio.Event().wait()
        finally:
            raise error

    task = asyncio.create_task(forever("test", work))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=10)

    assert task.cancelled()
    assert rounds == 1
