"""The worker of jobs on a real store, with work that a test scripts: failures, cancellation, giving up."""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.app import SystemClock
from service.core.assignment import AnyAssignment, CompareAssignment, Product
from service.core.diff import Outcome
from service.core.options import DiffOptions
from service.core.timestamp import format_timestamp
from service.core.work import PatchWork, Work, encode_work
from service.errors import InvalidRequestError, NotFoundError, OverloadedError
from service.metrics import Metrics
from service.model import Caller, Job
from service.room import Room
from service.store.jobs import MongoJobs
from service.store.mongo import Database
from service.store.outbox import MongoOutbox
from service.tasks import running
from service.usecases import jobs as use_cases
from service.workers.calm import Calm
from service.workers.jobs import MAX_ATTEMPTS, Jobs
from service.workers.telling import Backlogs
from tests.cancelling import Moment, cancel_at_every_suspension
from tests.clocks import ShiftedClock


class Script:
    """Work, comparisons and callbacks that do what the test says; `started` tells that work has begun."""

    def __init__(self, *deeds: Product | Exception | None) -> None:
        self._deeds = list(deeds)
        self.started = asyncio.Event()
        self.cancelled = False

    async def run(self, assignment: AnyAssignment, texts: Mapping[str, bytes]) -> Product:
        assert isinstance(assignment, CompareAssignment)
        assert set(texts) == {"a", "b"}
        self.started.set()
        deed = self._deeds.pop(0)
        if isinstance(deed, Exception):
            raise deed
        if deed is None:
            await self._wait()
        assert deed is not None
        return deed

    async def compare(self, before: bytes, after: bytes, options: DiffOptions) -> Outcome:
        del options
        return Outcome(b"[" + before + b"," + after + b"]", bounded=True)

    async def call(self, function: Callable[..., bytes] | str, *arguments: object, size: int = 0) -> Any:
        raise AssertionError(f"workers of jobs make no pages, and call nobody back: {function} {arguments} {size}")

    async def check(self, url: str) -> None:
        """Let every callback pass."""

    async def _wait(self) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            self.cancelled = True
            raise


@pytest.fixture(name="store")
def make_store(own: Database) -> MongoJobs:
    return MongoJobs(own, SystemClock())


async def insert(store: MongoJobs, work: Work | None = None, **members: Any) -> str:
    job = Job(
        id=str(uuid.uuid4()),
        status="QUEUED",
        work=encode_work(work or CompareAssignment()),
        fingerprint="",
        inputs=("a", "b"),
        created_by="anonymous",
        created_at=format_timestamp(datetime.now(UTC)),
        **members,
    )
    assert await store.insert(job, {"a": b"1", "b": b"2"})
    return job.id


async def until(store: MongoJobs, job_id: str, *states: str) -> Job:
    async with asyncio.timeout(60):
        while True:
            job = await store.find(job_id)
            assert job is not None
            if job.status in states:
                return job
            await asyncio.sleep(0.02)


def worker(store: MongoJobs, script: Script, *, lease_s: float = 10.0, metrics: Metrics | None = None) -> Jobs:
    return Jobs(store, script, metrics or Metrics(), Calm(), Room(1), lease_s=lease_s)


async def test_a_patch_goes_to_the_comparer_and_its_bound_is_kept(store: MongoJobs) -> None:
    job_id = await insert(store, PatchWork(direction="bToA", options=DiffOptions()))

    async with running(worker(store, Script()).run()):
        job = await until(store, job_id, "SUCCESS")

    assert job.bounded
    assert await store.read_result(job) == b"[2,1]"


async def test_a_refusal_and_a_failure_nobody_foresaw_are_told_apart_and_end_nothing_else(store: MongoJobs) -> None:
    script = Script(InvalidRequestError("so not", field="x"), ZeroDivisionError("secret"), Product(b"3", bounded=False))
    refused, failed, done = [await insert(store) for _ in range(3)]

    async with running(worker(store, script).run()):
        first = await until(store, refused, "FAILED")
        second = await until(store, failed, "FAILED")
        third = await until(store, done, "SUCCESS")

    assert first.failure is not None
    assert (first.failure.code, first.failure.detail) == ("invalid-request", "so not")
    assert b'"field":"x"' in bytes(first.failure.errors)
    assert second.failure is not None
    assert second.failure.code == "internal-error"
    assert "secret" not in second.failure.detail
    assert await store.read_result(third) == b"3"


async def test_work_on_a_cancelled_job_is_given_up(store: MongoJobs) -> None:
    script = Script(None)
    job_id = await insert(store)

    async with running(worker(store, script).run()):
        await asyncio.wait_for(script.started.wait(), 60)
        assert await store.cancel(job_id)
        async with asyncio.timeout(60):
            while not script.cancelled:
                await asyncio.sleep(0.02)

    assert (await until(store, job_id, "CANCELLED")).result is None


async def test_an_instance_that_stops_gives_its_job_back_at_once(store: MongoJobs) -> None:
    script = Script(None, Product(b"3", bounded=False))
    job_id = await insert(store)

    async with running(worker(store, script, lease_s=3600).run()):
        await asyncio.wait_for(script.started.wait(), 60)
    waiting = await until(store, job_id, "QUEUED")
    async with running(worker(store, script, lease_s=3600).run()):
        done = await until(store, job_id, "SUCCESS")

    assert script.cancelled
    assert waiting.attempt == 0
    assert done.attempt == 1


async def test_a_job_that_nobody_survives_is_given_up(store: MongoJobs) -> None:
    job_id = await insert(store)
    for _ in range(MAX_ATTEMPTS):
        assert await store.claim(0.05) is not None
        await asyncio.sleep(0.1)

    async with running(worker(store, Script()).run()):
        job = await until(store, job_id, "FAILED")

    assert job.failure is not None
    assert job.failure.code == "too-complex"


async def test_the_operator_is_told_what_became_of_jobs_and_how_long_it_took(store: MongoJobs) -> None:
    metrics = Metrics()
    script = Script(Product(b"3", bounded=False), InvalidRequestError("no"))
    done, failed = await insert(store), await insert(store)
    patched = await insert(store, PatchWork(direction="aToB", options=DiffOptions()))

    async with running(worker(store, script, metrics=metrics).run()):
        for job_id, state in ((done, "SUCCESS"), (failed, "FAILED"), (patched, "SUCCESS")):
            await until(store, job_id, state)
        await until_told(metrics, 'patchbay_job_seconds_count{outcome="SUCCESS",route="patch"} 1.0')

    text = metrics.render().decode()
    assert 'patchbay_job_seconds_count{outcome="SUCCESS",route="compare"} 1.0' in text
    assert 'patchbay_job_seconds_count{outcome="FAILED",route="compare"} 1.0' in text


async def test_the_operator_is_told_that_a_job_was_cancelled_meanwhile(store: MongoJobs) -> None:
    metrics, script = Metrics(), Script(None)
    job_id = await insert(store)

    async with running(worker(store, script, metrics=metrics).run()):
        await asyncio.wait_for(script.started.wait(), 60)
        assert await store.cancel(job_id)
        await until_told(metrics, 'patchbay_job_seconds_count{outcome="LOST",route="compare"} 1.0')


async def test_the_operator_is_told_how_many_jobs_wait_and_since_when(store: MongoJobs, database: Database) -> None:
    metrics = Metrics()
    backlogs = Backlogs(MongoOutbox(database), store, ShiftedClock(timedelta(hours=1)), metrics)
    await backlogs.tell()
    idle = metrics.render().decode()
    await insert(store)
    await insert(store)

    await backlogs.tell()

    waiting = metrics.render().decode()
    age = next(line for line in waiting.splitlines() if line.startswith("patchbay_jobs_age_seconds "))
    assert "patchbay_jobs_depth 0.0" in idle
    assert "patchbay_jobs_age_seconds 0.0" in idle
    assert "patchbay_jobs_depth 2.0" in waiting
    assert 3600 <= float(age.split()[1]) < 7200


async def until_told(metrics: Metrics, line: str) -> None:
    async with asyncio.timeout(60):
        while line not in metrics.render().decode():
            await asyncio.sleep(0.02)


async def test_too_many_open_jobs_are_refused(store: MongoJobs) -> None:
    caller = Caller("anonymous", frozenset({"reader"}))
    await insert(store)

    with pytest.raises(OverloadedError):
        await use_cases.create(
            CompareAssignment(),
            {},
            use_cases.Wish(),
            caller=caller,
            clock=SystemClock(),
            callbacks=Script(),
            store=store,
            max_open=1,
        )


async def test_the_same_call_with_its_key_is_its_job_however_many_are_open(store: MongoJobs) -> None:
    async def call() -> Job:
        return await use_cases.create(
            CompareAssignment(),
            {},
            use_cases.Wish(key="k"),
            caller=Caller("anonymous", frozenset({"reader"})),
            clock=SystemClock(),
            callbacks=Script(),
            store=store,
            max_open=1,
        )

    assert (await call()).id == (await call()).id


async def test_a_job_is_its_callers_and_the_admins(store: MongoJobs) -> None:
    job_id = await insert(store)
    owner, other = (Caller(name, frozenset({"reader"})) for name in ("anonymous", "x"))
    admin = Caller("y", frozenset({"admin"}))

    assert (await use_cases.find(job_id, caller=owner, store=store)).id == job_id
    assert (await use_cases.find(job_id, caller=admin, store=store)).id == job_id
    with pytest.raises(NotFoundError):
        await use_cases.find(job_id, caller=other, store=store)
    with pytest.raises(NotFoundError):
        await use_cases.cancel(job_id, caller=other, store=store, clock=ShiftedClock())


@pytest.mark.parametrize("moment", ["waiting", "served"])
async def test_a_job_is_free_at_once_wherever_its_worker_is_ended(
    store: MongoJobs, own: Database, moment: Moment
) -> None:
    """Else it would stand still until its claim runs out, and the attempt count as one that brought its worker down."""
    job_id = await insert(store, PatchWork(direction="aToB", options=DiffOptions()))
    another = MongoJobs(own, SystemClock())

    async def check() -> None:
        nonlocal job_id
        job = await until(store, job_id, "QUEUED", "SUCCESS")
        if job.status == "QUEUED":
            taken = await another.claim(3600)
            assert taken is not None
            assert (taken.id, taken.attempt) == (job_id, 1)
            await another.succeed(taken, b"[]", bounded=False)
        job_id = await insert(store, PatchWork(direction="aToB", options=DiffOptions()))

    assert await cancel_at_every_suspension(worker(store, Script(), lease_s=3600)._round, moment, check) > 1
