"""Changes applied in turn to the version in hand, to go out as one update. Pure: nothing is read or sent here."""

import asyncio
from collections.abc import Sequence

import msgspec

from service.core import values
from service.core.values import Json
from service.errors import NotFoundError
from service.model import Attribution, Change, Companion, Draft, Resource, Revision, Written
from service.ports import Changing
from service.store.documents import encode_content
from service.store.records import Held


class Job(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """A write that waits to be done; `future` gets what comes of it. `weight` is in bytes, roughly."""

    resource_type: str
    change: Changing
    attribution: Attribution
    write_id: str
    is_dry: bool
    weight: int
    future: asyncio.Future[Written]

    def resolve(self, outcome: Written | BaseException) -> None:
        """Tell the caller, unless it went away."""
        if self.future.done():
            return
        if isinstance(outcome, BaseException):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class Plan(msgspec.Struct):
    """What comes of some jobs if the base still stands: `outcomes` hold only once the update is committed.

    A job with companions is the only one that changes something in its plan; the jobs after it are left out. `wished`
    are the companions of dry jobs, by their places in `outcomes`: nothing is written of them, but they may be refused.
    """

    base: int
    resource: Resource
    content: Json
    revisions: list[Revision]
    outcomes: list[tuple[Job, Written | Exception]]
    companions: tuple[Companion, ...] = ()
    wished: dict[int, tuple[Companion, ...]] = msgspec.field(default_factory=dict)


def make_plan(held: Held, jobs: Sequence[Job], now: str) -> Plan:
    """Apply the jobs to what is held, which is used up by that: its content is edited in place."""
    plan = Plan(held.resource.version, held.resource, held.content, [], [])
    for job in jobs:
        if any(job.write_id == revision.write_id for revision in plan.revisions):
            break  # the same write twice: its turn comes when the first one is done
        try:
            change = job.change(_draft(plan))
            if change is not None and change.companions and plan.revisions:
                plan.content = _restored(plan.resource)
                break
            outcome: Written | Exception = _apply(plan, job, change, now)
        except Exception as error:  # noqa: BLE001 - it goes to the job's caller
            outcome = error
            plan.content = _restored(plan.resource)
        plan.outcomes.append((job, outcome))
        if plan.companions:
            break
    return plan


def _apply(plan: Plan, job: Job, change: Change | None, now: str) -> Written:
    """Take the plan one change further; a dry one, or one that has nothing to do, leaves it where it is."""
    if change is None:
        if plan.resource.version == 0:
            raise NotFoundError("There is no such resource.")
        plan.content = _restored(plan.resource)
        return Written(plan.resource, changed=False)
    after = _next(plan.resource, job.resource_type, change, now)
    if job.is_dry:
        encode_content(change.content, after.text)  # to be refused where it could not be stored
        plan.content = _restored(plan.resource)
        if change.companions:
            plan.wished[len(plan.outcomes)] = change.companions
        return Written(after, changed=True)
    plan.revisions.append(_revision(change, after, job))
    plan.resource, plan.content, plan.companions = after, change.content, change.companions
    return Written(after, changed=True)


def _draft(plan: Plan) -> Draft | None:
    resource = plan.resource
    if resource.version == 0:
        return None
    return Draft(
        id=resource.id,
        type=resource.type,
        version=resource.version,
        text=resource.text,
        content=plan.content,
        created_at=resource.created_at,
        updated_at=resource.updated_at,
        deleted=resource.deleted,
    )


def _next(before: Resource, resource_type: str, change: Change, now: str) -> Resource:
    at = max(now, before.updated_at)  # time does not run backwards in a history, whatever the clocks say
    return Resource(
        id=before.id,
        type=before.type if before.version else resource_type,
        version=before.version + 1,
        text=values.encode(change.content),
        created_at=before.created_at or at,
        updated_at=at,
        deleted=change.deleted,
    )


def _revision(change: Change, after: Resource, job: Job) -> Revision:
    return Revision(
        version=after.version,
        kind=change.kind,
        at=after.updated_at,
        by=job.attribution.by,
        why=job.attribution.why,
        write_id=job.write_id,
        is_given=job.attribution.write_id is not None,
        forward=change.forward,
        inverse=change.inverse,
        events=change.events,
    )


def _restored(resource: Resource) -> Json:
    """Decode the content anew, after a change that may have edited it and does not count."""
    return msgspec.json.decode(resource.text)
