"""One attempt to move an application: what is written of it, whichever way it goes."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

import msgspec

from service.core.lifecycle import State, Status, Verb, check_move, check_verb
from service.core.timestamp import format_timestamp
from service.errors import InvalidTransitionError, ServiceError
from service.model import Resource
from service.patches import Application, Move, Patch, Step
from service.usecases.patching import Desk
from service.usecases.recording import make_id

_MOST_ERRORS = 100
Done = TypeVar("Done")


class Attempt(NamedTuple):
    """A verb about to be carried out on a pair of patch and target; `before` is how the pair stands."""

    patch: Patch
    target: Resource
    before: Application | None
    verb: Verb
    by: str
    started_at: str
    write_id: str | None


async def begin(
    patch: Patch, target: Resource, verb: Verb, by: str, desk: Desk, write_id: str | None = None
) -> Attempt:
    """Read how the pair stands; raise `InvalidTransitionError` where the verb is not legal."""
    before = await desk.applications.find(application_id(patch, target.id), patch.resource_id)
    check_verb(state_of(before), verb)
    now = format_timestamp(desk.clock.now())
    started_at = now if before is None else max(now, before.started_at)
    return Attempt(patch, target, before, verb, by, started_at, write_id)


async def find_moved(patch: Patch, target_id: str, write_id: str | None, desk: Desk) -> Application | None:
    """Return the application as it stands, if a request with the write id has moved it, whose answer was lost."""
    identity = application_id(patch, target_id)
    if write_id is None or not await desk.moves.has_write(patch.resource_id, identity, write_id):
        return None
    return await desk.applications.find(identity, patch.resource_id)


async def once(
    patch: Patch,
    target_id: str,
    write_id: str | None,
    desk: Desk,
    carry_out: Callable[[], Awaitable[Done]],
    tell: Callable[[Application], Awaitable[Done]],
) -> Done:
    """Carry out what no request with the write id has carried out; else tell what has come of it.

    An earlier request that was cut off may still be at it in the database, and come to its end after a first look.
    """
    if (moved := await find_moved(patch, target_id, write_id, desk)) is not None:
        return await tell(moved)
    try:
        return await carry_out()
    except InvalidTransitionError:
        if (moved := await find_moved(patch, target_id, write_id, desk)) is None:
            raise
        return await tell(moved)


def application_id(patch: Patch, target_id: str) -> str:
    """Give the id of the application of a patch to a target: there is one for each pair."""
    return make_id(patch.resource_id, patch.patch_id, target_id)


def state_of(application: Application | None) -> State:
    """Give the state of a pair; without an application it is pending."""
    return "pending" if application is None else application.state


def applied(attempt: Attempt, base: int, result: int, desk: Desk, provider: str) -> Step:
    """Say that the attempt took the target from one version to the other."""
    return _step(attempt, "applied", desk, provider=provider, base_version=base, result_version=result)


def failed(attempt: Attempt, base: int | None, error: ServiceError, desk: Desk, provider: str) -> Step:
    """Say that the attempt failed and why."""
    errors = error.violations[:_MOST_ERRORS]
    return _step(attempt, "failed", desk, provider=provider, base_version=base, error=error.detail, errors=errors)


def dispatched(attempt: Attempt, base: int, deadline_at: str, desk: Desk, provider: str) -> Step:
    """Say that the patch is on its way to the provider, who has until the deadline to confirm."""
    step = _step(attempt, "dispatched", desk, provider=provider, base_version=base, deadline_at=deadline_at)
    return msgspec.structs.replace(step, after=msgspec.structs.replace(step.after, finished_at=None))


def concluded(before: Application, verb: Verb, status: Status, by: str, desk: Desk, **outcome: Any) -> Step:
    """Say how an application that had begun came to its end: confirmed, expired or called off."""
    check_move(before.state, verb, status)
    finished_at = max(before.started_at, format_timestamp(desk.clock.now()))
    after = msgspec.structs.replace(
        before, status=status, finished_at=finished_at, deadline_at=None, moves=before.moves + 1, **outcome
    )
    return Step(before=before, after=after, moves=(_move(before, after, verb, by, desk, after.error),))


def cancelled(attempt: Attempt, desk: Desk) -> Step:
    """Say that the application was called off."""
    error = f"Cancelled by {attempt.by}."
    if attempt.before is None:
        return _step(attempt, "failed", desk, error=error)
    step = concluded(attempt.before, "cancel", "failed", attempt.by, desk, error=error)
    return msgspec.structs.replace(step, write_id=attempt.write_id)


def reverted(application: Application, patch_id: str, by: str, write_id: str | None, desk: Desk) -> Step:
    """Say that another patch took the application back."""
    after = msgspec.structs.replace(application, reverted_by=patch_id, moves=application.moves + 1)
    move = _move(application, after, "revert", by, desk, patch_id)
    return Step(before=application, after=after, moves=(move,), write_id=write_id)


def _step(attempt: Attempt, status: Status, desk: Desk, **outcome: object) -> Step:
    before = attempt.before
    check_move(state_of(before), attempt.verb, status)
    after = Application(
        id=application_id(attempt.patch, attempt.target.id),
        resource_id=attempt.patch.resource_id,
        patch_id=attempt.patch.patch_id,
        target_id=attempt.target.id,
        target_type=attempt.target.type,
        attempt=(before.attempt if before else 0) + 1,
        status=status,
        created_by=attempt.by,
        started_at=attempt.started_at,
        finished_at=max(attempt.started_at, format_timestamp(desk.clock.now())),
        moves=(before.moves if before else 0) + 1,
        **outcome,  # type: ignore[arg-type]
    )
    move = _move(before, after, attempt.verb, attempt.by, desk, after.error)
    return Step(before=before, after=after, moves=(move,), write_id=attempt.write_id)


def _move(before: Application | None, after: Application, verb: Verb, by: str, desk: Desk, why: str | None) -> Move:
    now = format_timestamp(desk.clock.now())
    return Move(
        id=f"{after.id}:{after.moves:06}",
        resource_id=after.resource_id,
        resource_type=after.target_type,
        patch_id=after.patch_id,
        application_id=after.id,
        target_id=after.target_id,
        attempt=after.attempt,
        verb=verb,
        source=state_of(before),
        to=after.state,
        at=max(now, after.finished_at or now),
        by=by,
        why=why,
    )
