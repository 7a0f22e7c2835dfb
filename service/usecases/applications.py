"""Applications: a patch carried out on a target, tried again, called off."""

import msgspec

from service.core.lifecycle import Verb
from service.delivery import BUILTIN
from service.errors import ApplicationFailedError, IdempotencyKeyReusedError, InvalidTransitionError, ServiceError
from service.model import Caller, Change, Draft
from service.patches import Application, Patch, Step
from service.ports import Changing
from service.usecases import attempts, dispatching
from service.usecases.asked import Asked, admit
from service.usecases.attempts import Attempt
from service.usecases.fitting import ANY_VERSION, FAILURES, Aim, check_fit, check_version, editing
from service.usecases.patching import Desk, find_resource
from service.usecases.writing import Mode, Target, write


class _Trace(msgspec.Struct):
    """What a change noted when it was made last: the version that it met, and what is to be written with it."""

    base: int | None = None
    step: Step | None = None


async def apply(patch: Patch, aim: Aim, verb: Verb, caller: Caller, mode: Mode, desk: Desk) -> Application:
    """Carry the patch out on its target, once: the target's next version and the application are one write.

    Raises `InvalidTransitionError`, `VersionConflictError` (`if_version` does not hold), `IncompatibleTargetError`
    with every verdict, `ApplicationFailedError` with the application, which is then recorded as failed.
    """
    target = await find_resource(await target_of(patch, aim, verb, caller, desk), caller, desk)
    write_id = mode.attribution.write_id

    async def carry_out() -> Application:
        attempt = await attempts.begin(patch, target, verb, caller.name, desk, write_id)
        try:
            return await _carry_out(attempt, aim, mode, desk)
        except InvalidTransitionError:
            await attempts.begin(patch, target, verb, caller.name, desk)  # what stands now says it best
            raise

    return await attempts.once(patch, target.id, write_id, desk, carry_out, _told_again)


async def cancel(patch: Patch, aim: Aim, caller: Caller, mode: Mode, desk: Desk) -> Application:
    """Call an application off that has not come to an end."""
    target = await find_resource(await target_of(patch, aim, "cancel", caller, desk), caller, desk, even_deleted=True)
    write_id = mode.attribution.write_id

    async def carry_out() -> Application:
        check_version(target.version, aim)
        step = attempts.cancelled(await attempts.begin(patch, target, "cancel", caller.name, desk, write_id), desk)
        if not mode.dry_run:
            await desk.applications.commit(step)
        return step.after

    async def tell(moved: Application) -> Application:
        return moved

    return await attempts.once(patch, target.id, write_id, desk, carry_out, tell)


async def _carry_out(attempt: Attempt, aim: Aim, mode: Mode, desk: Desk) -> Application:
    known = await desk.shelf.catalog.find(attempt.target.type)
    named = known.definition.provider
    trace = _Trace()
    try:
        if named != BUILTIN:
            return await dispatching.dispatch(attempt, aim, named, mode, desk)
        shown = await write(
            Target(attempt.target.type, attempt.target.id),
            known,
            lambda asked: _applying(attempt, aim, asked, trace, desk),
            _with_reason(mode, attempt),
            desk.shelf,
        )
    except FAILURES as error:
        step = attempts.failed(attempt, trace.base, error, desk, named)
        if not mode.dry_run:
            await desk.applications.commit(step)
        raise _failure(step.after, error) from error
    if trace.step is None:  # done by the same request, sent twice at a time
        return await _told_again(await _find_moved(attempt, desk))
    if not shown.changed and not mode.dry_run:
        await desk.applications.commit(trace.step)
    return trace.step.after


def _applying(attempt: Attempt, aim: Aim, asked: Asked, trace: _Trace, desk: Desk) -> Changing:
    """Make the change that carries the patch out where it fits, and has the application written with it."""

    def change(draft: Draft | None) -> Change | None:
        standing = admit(asked, draft)
        check_version(standing.version, aim)
        check_fit(standing.content, attempt.patch)
        base = trace.base = standing.version
        made = editing(asked, desk.builtin.plan(attempt.patch), desk.limits)(draft)
        trace.step = attempts.applied(attempt, base, base + (made is not None), desk, BUILTIN)
        if made is None:
            return None
        return msgspec.structs.replace(made, companions=(*made.companions, *desk.applications.companions(trace.step)))

    return change


async def target_of(patch: Patch, aim: Aim, verb: Verb, caller: Caller, desk: Desk) -> str:
    """Say which target is meant: without one, the resource of the patch, or that of its latest application.

    Only applications to what the caller has a grant for are looked at.
    """
    if aim.target_id is not None:
        return aim.target_id
    if verb == "apply":
        return patch.resource_id
    latest = await desk.applications.list_newest(patch.resource_id, patch.patch_id, caller.types, None, 1)
    return latest[0].target_id if latest else patch.resource_id


async def _find_moved(attempt: Attempt, desk: Desk) -> Application:
    moved = await attempts.find_moved(attempt.patch, attempt.target.id, attempt.write_id, desk)
    if moved is None:
        raise IdempotencyKeyReusedError
    return moved


async def _told_again(moved: Application) -> Application:
    """Answer once more what a request has come to; raise `ApplicationFailedError` where that is a failure."""
    if moved.status == "failed":
        raise _failure(moved, ApplicationFailedError(moved.error or "", violations=moved.errors))
    return moved


def _failure(application: Application, error: ServiceError) -> ApplicationFailedError:
    detail = error.detail
    if not isinstance(error, ApplicationFailedError):
        detail = f"The patch failed on its target, which is untouched: {error.detail}"
    failure = ApplicationFailedError(detail, violations=error.violations)
    return failure.with_extensions(application=application)


def _with_reason(mode: Mode, attempt: Attempt) -> Mode:
    """Say in the target's history which patch made the version, unless the caller says why."""
    why = mode.attribution.why or f"Patch {attempt.patch.patch_id} of {attempt.patch.resource_id}"
    attribution = msgspec.structs.replace(mode.attribution, why=why)
    return msgspec.structs.replace(mode, attribution=attribution, conditions=ANY_VERSION)
