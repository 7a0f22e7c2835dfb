"""Asynchronous calls: accepted with their inputs, carried out by whichever instance claims them, asked after later."""

from collections.abc import Iterator, Mapping

import msgspec

from service.core.timestamp import format_timestamp
from service.core.work import Work, encode_work
from service.errors import (
    GoneError,
    IdempotencyKeyReusedError,
    InvalidTransitionError,
    NotFoundError,
    OverloadedError,
    SourceForbiddenError,
)
from service.model import Caller, Job
from service.ports import Callbacks, Clock, JobStore
from service.usecases.calls import digest, id_of

MAX_OPEN = 1000
"""Jobs that may wait or run at once, of all callers together."""
_READ = "The result was read, and the job was to keep it only until then."


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How the caller wants to hear of the job, and whether the result stays when it has been read.

    With a `key` the same call again is the same job, for as long as that is kept. A dry run keeps nothing.
    """

    key: str | None = None
    callback: str | None = None
    keep_result: bool = True
    dry_run: bool = False


async def create(
    work: Work,
    texts: Mapping[str, bytes],
    wish: Wish,
    *,
    caller: Caller,
    clock: Clock,
    callbacks: Callbacks,
    store: JobStore,
    max_open: int = MAX_OPEN,
) -> Job:
    """Accept a job, or return the one that was accepted under the same key.

    Raises `SourceForbiddenError` for a callback under guard, `OverloadedError` when too many wait,
    `IdempotencyKeyReusedError` where the key came with another call.
    """
    if wish.callback is not None:
        await _check_callback(wish.callback, callbacks)
    encoded = encode_work(work)
    job = Job(
        id=id_of(caller, wish.key),
        status="QUEUED",
        work=encoded,
        fingerprint=digest(encoded, *_told_apart_by(texts, wish)),
        inputs=tuple(texts),
        created_by=caller.name,
        created_at=format_timestamp(clock.now()),
        keep_result=wish.keep_result,
        callback=wish.callback,
    )
    if await store.count_open() >= max_open and (wish.key is None or await store.find(job.id) is None):
        raise OverloadedError(f"{max_open} jobs wait already. Come back later.", retry_after_s=10)
    if wish.dry_run or await store.insert(job, texts):
        return job
    known = await find(job.id, caller=caller, store=store)
    if known.fingerprint != job.fingerprint:
        raise IdempotencyKeyReusedError
    return known


async def _check_callback(url: str, callbacks: Callbacks) -> None:
    try:
        await callbacks.check(url)
    except SourceForbiddenError as error:
        raise SourceForbiddenError(f"'callback': {error.detail}", field="callback") from error


def _told_apart_by(texts: Mapping[str, bytes], wish: Wish) -> Iterator[bytes]:
    """Yield what else makes another call of it. What is left at its default adds nothing."""
    for name, text in texts.items():
        yield name.encode()
        yield text
    if wish.callback is not None:
        yield b"callback"
        yield wish.callback.encode()
    if not wish.keep_result:
        yield b"keepResult"


async def find(job_id: str, *, caller: Caller, store: JobStore) -> Job:
    """Return a job of the caller's own; an admin with grants for all types may see all. Raises `NotFoundError`.

    A result holds what its inputs hold, which may be of any type.
    """
    job = await store.find(job_id)
    sees_all = "admin" in caller.roles and caller.types is None
    if job is None or not (sees_all or job.created_by == caller.name):
        raise NotFoundError("There is no job with this id. Jobs are kept for a day.")
    return job


async def cancel(job_id: str, *, caller: Caller, store: JobStore, clock: Clock, dry_run: bool = False) -> Job:
    """Cancel a job; cancelling twice is fine. Raises `InvalidTransitionError` when it is over."""
    job = await find(job_id, caller=caller, store=store)
    if dry_run and job.status in ("QUEUED", "STARTED"):
        return msgspec.structs.replace(job, status="CANCELLED", finished_at=format_timestamp(clock.now()))
    if not dry_run:
        await store.cancel(job_id)
        job = await find(job_id, caller=caller, store=store)
    if job.status != "CANCELLED":
        raise InvalidTransitionError(f"The job is over: it is {job.status}. Only QUEUED and STARTED can be cancelled.")
    return job


async def read_result(job_id: str, *, caller: Caller, store: JobStore, only_look: bool = False) -> tuple[Job, bytes]:
    """Return the result; unless it is to be kept, or only looked at, it is gone afterwards.

    Raises `InvalidTransitionError` for a job without a result, `GoneError` when it was read.
    """
    job = await find(job_id, caller=caller, store=store)
    if job.status != "SUCCESS":
        raise InvalidTransitionError(f"There is no result: the job is {job.status}. A result comes with SUCCESS.")
    result = await store.read_result(job)
    if result is None:
        raise GoneError(_READ)
    if not (job.keep_result or only_look or await store.drop_result(job)):
        raise GoneError(_READ)
    return job, result
