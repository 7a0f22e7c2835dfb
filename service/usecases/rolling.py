"""Rollouts: started, steered, and taken further batch by batch, by whichever instance holds the lease."""

import asyncio
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from service.core.conditions import Conditions
from service.core.constraints import check_constraints
from service.core.timestamp import format_timestamp
from service.errors import (
    ApplicationFailedError,
    ForbiddenError,
    GoneError,
    IdempotencyKeyReusedError,
    IncompatibleTargetError,
    InvalidTransitionError,
    NotFoundError,
)
from service.model import Attribution, Caller
from service.patches import Patch
from service.ports import RolloutStore
from service.rollouts import LEGAL, Order, Rollout, RolloutState, Wish
from service.tasks import together
from service.usecases import applications, attempts
from service.usecases.fitting import Aim
from service.usecases.patching import Desk
from service.usecases.permission import check_type
from service.usecases.writing import Mode

_AT_ONCE = 16
_COUNT_PAGE = 500
Fate = Literal["done", "failed", "skipped"]


class Rolling(NamedTuple):
    """The collaborators of rollouts."""

    rollouts: RolloutStore
    desk: Desk


async def start(
    patch: Patch, order: Order, caller: Caller, rolling: Rolling, *, rollout_id: str, dry_run: bool = False
) -> Rollout:
    """Start a rollout, which goes on in the background; one that a request with the id has started is returned.

    Raises `InvalidRequestError` where its filter cannot be judged.
    """
    check_constraints(order.filter, "filter")
    check_type(caller, order.type)
    now = format_timestamp(rolling.desk.clock.now())
    rollout = Rollout(
        id=rollout_id,
        resource_id=patch.resource_id,
        patch_id=patch.patch_id,
        order=order,
        caller=caller,
        created_at=now,
        updated_at=now,
    )
    if dry_run or await rolling.rollouts.insert(rollout):
        return rollout
    known = await rolling.rollouts.find(rollout_id)
    if known is None or (known.resource_id, known.patch_id, known.order) != (patch.resource_id, patch.patch_id, order):
        raise IdempotencyKeyReusedError
    return known


async def find(patch: Patch, rollout_id: str, caller: Caller, rolling: Rolling) -> Rollout:
    """Return a rollout of the patch; raise `NotFoundError` when there is none of that id.

    Raises `ForbiddenError` where it goes to types that the caller has no grant for: how far it has come tells of them,
    and it goes on with the rights of who started it.
    """
    rollout = await rolling.rollouts.find(rollout_id)
    if rollout is None or (rollout.resource_id, rollout.patch_id) != (patch.resource_id, patch.patch_id):
        raise NotFoundError("This patch has no rollout with this id; GET …/rollouts lists those it has.")
    if not _reaches(caller, rollout):
        raise ForbiddenError("The rollout goes to types that the caller has no grant for; ask who started it.")
    return rollout


async def list_newest(
    patch: Patch, after: tuple[str, str] | None, limit: int, caller: Caller, rolling: Rolling
) -> list[Rollout]:
    """Return the rollouts of the patch that the caller may see, newest first, those after (`created_at`, `id`)."""
    found: list[Rollout] = []
    while True:
        batch = await rolling.rollouts.list_newest(patch.resource_id, patch.patch_id, after, limit)
        found += [each for each in batch if _reaches(caller, each)]
        if len(batch) < limit or len(found) >= limit:
            return found[:limit]
        after = (batch[-1].created_at, batch[-1].id)


async def steer(
    patch: Patch,
    rollout_id: str,
    wish: Wish,
    caller: Caller,
    rolling: Rolling,
    *,
    write_id: str | None = None,
    dry_run: bool = False,
) -> Rollout:
    """Pause, resume or cancel a rollout, once for a write id.

    Raises `InvalidTransitionError` naming what is possible in its state.
    """
    while True:
        rollout = await find(patch, rollout_id, caller, rolling)
        if write_id is not None and rollout.write_id == write_id:
            return rollout
        legal = LEGAL[rollout.state]
        if wish not in legal:
            possible = ", ".join(legal) or "nothing"
            raise InvalidTransitionError(
                f"The rollout is {rollout.state}: '{wish}' is not possible; legal in this state: {possible}."
            )
        to, now = legal[wish], format_timestamp(rolling.desk.clock.now())
        if dry_run:
            finished_at = now if to == "cancelled" else rollout.finished_at
            return msgspec.structs.replace(rollout, state=to, updated_at=now, finished_at=finished_at, error=None)
        if await rolling.rollouts.move(rollout_id, rollout.state, to, now, write_id):
            return await find(patch, rollout_id, caller, rolling)


def _reaches(caller: Caller, rollout: Rollout) -> bool:
    """Say whether the caller has a grant for all that the rollout goes to."""
    order = rollout.order
    reach = rollout.caller.types if order.type is None else frozenset({order.type})
    return caller.types is None or (reach is not None and reach <= caller.types)


async def take_further(rollout: Rollout, rolling: Rolling) -> Rollout:
    """Deal with the next batch, or count the targets first; return how far the rollout has come by it."""
    patch = await rolling.desk.patches.find(rollout.resource_id, rollout.patch_id)
    if patch is None:
        return _ended(rollout, "halted", rolling, "The patch is not there any more.")
    if _has_failed(rollout):  # in the batch that was at hand when it was paused
        return _failed(rollout, rolling)
    if rollout.total is None:
        total = await _count(patch, rollout, rolling.desk)
        return msgspec.structs.replace(rollout, total=total, updated_at=_now(rolling))
    targets, more = await _page(patch, rollout, rollout.after, rollout.order.batch_size, rolling.desk)
    last = targets[-1] if targets else rollout.after
    gate = asyncio.Semaphore(_AT_ONCE)
    fates = await together(_deal_with(patch, target, rollout, gate, rolling.desk) for target in targets)
    further = msgspec.structs.replace(
        rollout,
        done=rollout.done + fates.count("done"),
        failed=rollout.failed + fates.count("failed"),
        skipped=rollout.skipped + fates.count("skipped"),
        after=last if more is None else more,
        updated_at=_now(rolling),
    )
    if _has_failed(further):
        return _failed(further, rolling)
    return further if more is not None else _ended(further, "finished", rolling)


def halt(rollout: Rollout, why: str, rolling: Rolling) -> Rollout:
    """Stop a rollout that cannot be taken further; whoever mends the cause can resume it."""
    return _ended(rollout, "halted", rolling, f"{why} Resume to try again.")


async def _page(patch: Patch, rollout: Rollout, after: str, limit: int, desk: Desk) -> tuple[list[str], str | None]:
    """Return the ids of the next targets, and after which to go on; None when these were the last."""
    caller, order = rollout.caller, rollout.order
    types: Sequence[str] | None = sorted(caller.types) if caller.types is not None else None
    wanted = types if order.type is None else [order.type]
    page = await desk.eligibility.find_page((*patch.all_constraints, *order.filter), wanted, after, limit)
    return [each.resource_id for each in page.candidates], page.after


async def _count(patch: Patch, rollout: Rollout, desk: Desk) -> int:
    count, after = 0, ""
    while True:
        targets, more = await _page(patch, rollout, after, _COUNT_PAGE, desk)
        count += len(targets)
        if more is None:
            return count
        after = more


async def _deal_with(patch: Patch, target_id: str, rollout: Rollout, gate: asyncio.Semaphore, desk: Desk) -> Fate:
    """Apply the patch to one target. Done before a crash counts as done, not as skipped."""
    why = f"Rollout {rollout.id}"
    mode = Mode(
        attribution=Attribution(by=rollout.caller.name, why=why), conditions=Conditions(), dry_run=rollout.order.dry_run
    )
    async with gate:
        try:
            await applications.apply(patch, Aim(target_id=target_id), "apply", rollout.caller, mode, desk)
        except ApplicationFailedError:
            return "failed"
        except InvalidTransitionError:
            return await _fate_before(patch, target_id, rollout, desk)
        except (IncompatibleTargetError, NotFoundError, GoneError, ForbiddenError):
            return "skipped"
    return "done"


async def _fate_before(patch: Patch, target_id: str, rollout: Rollout, desk: Desk) -> Fate:
    """Tell what this rollout made of the target before it was interrupted; what others did is skipped."""
    found = await desk.applications.find(attempts.application_id(patch, target_id), patch.resource_id)
    is_ours = found and found.created_by == rollout.caller.name and found.started_at >= rollout.created_at
    if not found or not is_ours:
        return "skipped"
    return "failed" if found.status == "failed" else "done"


def _ended(rollout: Rollout, state: RolloutState, rolling: Rolling, error: str | None = None) -> Rollout:
    now = _now(rolling)
    finished_at = now if state == "finished" else None
    return msgspec.structs.replace(rollout, state=state, error=error, updated_at=now, finished_at=finished_at)


def _has_failed(rollout: Rollout) -> bool:
    """Say whether more applications failed than may, since it was begun or resumed."""
    return rollout.failed - rollout.forgiven > rollout.order.max_failures


def _failed(rollout: Rollout, rolling: Rolling) -> Rollout:
    why = f"GET /resources/{rollout.resource_id}/patches/{rollout.patch_id}/applications says why. Resume to go on."
    return _ended(rollout, "halted", rolling, f"{rollout.failed} applications failed; {why}")


def _now(rolling: Rolling) -> str:
    return format_timestamp(rolling.desk.clock.now())
