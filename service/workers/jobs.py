"""Carries out jobs: claims one after another, keeps its claim while it works, and hands the result to the store."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Literal

import msgspec

from service.core.assignment import Product
from service.core.work import PatchWork, decode_work, name_of
from service.errors import ServiceError, StoreError
from service.metrics import Metrics
from service.model import Job, JobFailure
from service.ports import Computer, JobStore
from service.room import Room, Share
from service.tasks import end
from service.usecases import comparing, merging
from service.usecases.comparing import Inputs
from service.workers.background import forever
from service.workers.calm import Calm

Outcome = Literal["SUCCESS", "FAILED", "LOST"]
"""What became of a claimed job; `LOST` is one that was cancelled meanwhile, or is another instance's."""
Span = Callable[[str], AbstractContextManager[object]]
"""Opens a span of that name, where there is telemetry."""

_LOG = logging.getLogger(__name__)
MAX_ATTEMPTS = 3
"""A job that brought down so many instances is given up."""


class Jobs:
    """One worker of jobs; an instance may have several. `run` is a task of its life, `calm` stirred for a new job.

    What a job holds leaves requests less `room`; it is not refused for want of it, being one of few.
    """

    def __init__(
        self,
        store: JobStore,
        compute: Computer,
        metrics: Metrics,
        calm: Calm,
        room: Room,
        *,
        lease_s: float,
        span: Span = nullcontext,
    ) -> None:
        self._store = store
        self._compute = compute
        self._metrics = metrics
        self._calm = calm
        self._room = room
        self._span = span
        self._lease_s = lease_s

    async def run(self) -> None:
        """Carry out jobs until cancelled. While the database is away nothing is lost: claims run out, jobs wait."""
        await forever("jobs", self._round)

    async def _round(self) -> float:
        job = await self._claim()
        if job is None:
            await self._calm.rest()
            return 0.0
        self._calm.stir()
        route, began = name_of(decode_work(job.work)), time.perf_counter()
        with self._span(f"job {route}"):
            outcome = await self._carry_out(job)
        self._metrics.note_job(route, outcome, time.perf_counter() - began)
        return 0.0

    async def _claim(self) -> Job | None:
        """Claim a job. A cancellation does not stop the database: what it has claimed by then goes back."""
        claiming = asyncio.create_task(self._store.claim(self._lease_s))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            with contextlib.suppress(StoreError):
                job = await claiming
                if job is not None:
                    await self._store.release(job)
            raise

    async def _carry_out(self, job: Job) -> Outcome:
        claim = _Claim(self._store, job, self._lease_s)
        work = asyncio.create_task(self._work(job, claim))
        keeping = asyncio.create_task(claim.keep())
        try:
            await asyncio.wait({work, keeping}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            with contextlib.suppress(StoreError):
                await self._store.release(job)
            raise
        finally:
            await end(work, keeping)
        # A claim that ended first was lost or cancelled: whoever has the job now, or nobody, goes on with it.
        return work.result() if work.done() and not work.cancelled() else "LOST"

    async def _work(self, job: Job, claim: "_Claim") -> Outcome:
        if job.attempt > MAX_ATTEMPTS:
            return await self._fail(job, _GIVEN_UP)
        try:
            with closing(self._room.share()) as share:
                product = await self._produce(job, claim, share)
        except StoreError:
            raise
        except ServiceError as error:
            return await self._fail(job, _to_failure(error))
        except Exception:  # noqa: BLE001 - as a request that nobody foresaw: logged, and told without its reasons
            _LOG.exception("job %s failed", job.id)
            return await self._fail(job, _UNEXPECTED)
        await claim.advance()
        is_kept = await self._store.succeed(job, product.text, bounded=product.bounded)
        return "SUCCESS" if is_kept else "LOST"

    async def _fail(self, job: Job, failure: JobFailure) -> Outcome:
        return "FAILED" if await self._store.fail(job, failure) else "LOST"

    async def _produce(self, job: Job, claim: "_Claim", share: Share) -> Product:
        texts = await self._store.read_inputs(job)
        share.add(sum(map(len, texts.values())))
        await claim.advance()
        work = decode_work(job.work)
        if isinstance(work, PatchWork):
            outcome = await comparing.compare(Inputs(**texts), work.direction, work.options, self._compute)
            return Product(outcome.patch, outcome.bounded)
        return await merging.carry_out(work, texts, self._compute)


class _Claim:
    """The hold of this instance on a job, renewed until it is lost."""

    def __init__(self, store: JobStore, job: Job, lease_s: float) -> None:
        self._store = store
        self._job = job
        self._lease_s = lease_s
        self._stage = 0

    async def keep(self) -> None:
        """Renew the claim in time; return when it is lost, or the job cancelled."""
        while True:
            await asyncio.sleep(min(1.0, self._lease_s / 4))
            with contextlib.suppress(StoreError):  # the claim may outlast the trouble
                if not await self._renew():
                    return

    async def advance(self) -> None:
        """Say that another stage is over."""
        self._stage += 1
        await self._renew()

    async def _renew(self) -> bool:
        return await self._store.renew(self._job, self._stage, self._lease_s)


def _to_failure(error: ServiceError) -> JobFailure:
    return JobFailure(error.code, error.title, error.detail, msgspec.Raw(msgspec.json.encode(error.violations)))


_UNEXPECTED = JobFailure(
    ServiceError.code,
    ServiceError.title,
    "Something went wrong inside the service. The log has more under the job's id.",
    msgspec.Raw(b"[]"),
)
_GIVEN_UP = JobFailure(
    "too-complex", "Too much work", f"It was begun {MAX_ATTEMPTS} times and never came to an end.", msgspec.Raw(b"[]")
)
