import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from service.errors import BusyIdempotencyKeyError, IdempotencyKeyReusedError
from service.model import Answer
from service.store.idempotency import MongoIdempotency
from service.store.mongo import Database

ANSWER = Answer(201, {"Location": "/v1/clinic/1"}, b'{"id": "1"}')


class SetClock:
    """A clock that stands where it is put; near the present, because the database empties by its own."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def now(self) -> datetime:
        return self.moment


@pytest.fixture(name="clock")
def make_clock() -> SetClock:
    return SetClock()


@pytest.fixture(name="records")
def make_records(database: Database, clock: SetClock) -> MongoIdempotency:
    return MongoIdempotency(database, clock)


@pytest.fixture(name="key")
def make_key() -> str:
    return uuid.uuid4().hex


async def test_answer_is_given_again(records: MongoIdempotency, key: str) -> None:
    first = await records.begin(key, "print")
    await records.finish(key, ANSWER)

    assert first is None
    assert await records.begin(key, "print") == ANSWER


async def test_key_with_another_request_is_refused(records: MongoIdempotency, key: str) -> None:
    await records.begin(key, "print")

    with pytest.raises(IdempotencyKeyReusedError):
        await records.begin(key, "other")


async def test_key_of_a_running_request_is_busy_for_all_but_one(records: MongoIdempotency, key: str) -> None:
    outcomes = await asyncio.gather(*(records.begin(key, "print") for _ in range(10)), return_exceptions=True)

    assert outcomes.count(None) == 1
    assert sum(isinstance(each, BusyIdempotencyKeyError) for each in outcomes) == 9


async def test_abandoned_key_may_be_used_again(records: MongoIdempotency, key: str) -> None:
    await records.begin(key, "print")
    await records.abandon(key)

    assert await records.begin(key, "other") is None


async def test_answered_key_is_not_abandoned(records: MongoIdempotency, key: str) -> None:
    await records.begin(key, "print")
    await records.finish(key, ANSWER)
    await records.abandon(key)

    assert await records.begin(key, "print") == ANSWER


async def test_request_left_behind_is_taken_over_by_one(records: MongoIdempotency, clock: SetClock, key: str) -> None:
    await records.begin(key, "print")
    clock.moment += timedelta(seconds=61)

    outcomes = await asyncio.gather(*(records.begin(key, "print") for _ in range(10)), return_exceptions=True)

    assert outcomes.count(None) == 1
    assert sum(isinstance(each, BusyIdempotencyKeyError) for each in outcomes) == 9


async def test_key_is_forgotten_after_a_day(records: MongoIdempotency, clock: SetClock, key: str) -> None:
    await records.begin(key, "print")
    await records.finish(key, ANSWER)
    clock.moment += timedelta(hours=24, seconds=1)

    assert await records.begin(key, "other") is None
