"""Applications: a patch carried out on a target, tried again, called off."""

import msgspec

from service.core.lifecycle import Verb
from service.delivery import BUILTIN
from service.errors import ApplicationFailedError, IdempotencyKeyReusedError, InvalidTransitionError, ServiceError
from service.model import Caller, Change, Draft, Resource
from service.patches import Application, Patch, Step
from service.ports import Changing
from service.usecases import attempts, dispatching
from service.usecases.asked import Asked, admit
from service.usecases.attempts import Attempt
from service.usecases.fitting import ANY_VERSION, FAILURES, Aim, check_fit, check_version, editing
from service.usecases.patching import Desk, find_resource
from service.usecases.writing import Mode, Target, find_type, write


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
    if await is_done(target, mode, desk):
        return await _find_done(patch, target, desk)
    attempt = await attempts.begin(patch, target, verb, caller.name, desk)
    try:
        return await _carry_out(attempt, aim, mode, desk)
    except InvalidTransitionError:
        await attempts.begin(patch, target, verb, caller.name, desk)  # what stands now says it best
        raise


async def cancel(patch: Patch, aim: Aim, caller: Caller, mode: Mode, desk: Desk) -> Application:
    """Call an application off that has not come to an end."""
    target = await find_resource(await target_of(patch, aim, "cancel", caller, desk), caller, desk, even_deleted=True)
    check_version(target.version, aim)
    step = attempts.cancelled(await attempts.begin(patch, target, "cancel", caller.name, desk), desk)
    if not mode.dry_run:
        await desk.applications.commit(step)
    return step.after


async def _carry_out(attempt: Attempt, aim: Aim, mode: Mode, desk: Desk) -> Application:
    known = await find_type(attempt.target.type, desk.shelf)
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
    if trace.step is None:
        return await _find_done(attempt.patch, attempt.target, desk)
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


async def is_done(target: Resource, mode: Mode, desk: Desk) -> bool:
    """Say whether a request with the same idempotency key has changed the target, and its answer was lost."""
    write_id = mode.attribution.write_id
    return write_id is not None and await desk.shelf.resources.find_write(target.id, write_id) is not None


async def _find_done(patch: Patch, target: Resource, desk: Desk) -> Application:
    """Return the application that a request with the same idempotency key has made."""
    application = await desk.applications.find(attempts.application_id(patch, target.id), patch.resource_id)
    if application is None or application.result_version is None:
        raise IdempotencyKeyReusedError("The idempotency key came before with another request: use a new one.")
    return application


def _failure(application: Application, error: ServiceError) -> ApplicationFailedError:
    detail = error.detail
    if not isinstance(error, ApplicationFailedError):
        detail = f"The patch failed on its target, which is untouched: {error.detail}"
    failure = ApplicationFailedError(detail, violations=error.violations)
    return failure.with_extensions(application=msgspec.to_builtins(application))


def _with_reason(mode: Mode, attempt: Attempt) -> Mode:
    """Say in the target's history which patch made the version, unless the caller says why."""
    why = mode.attribution.why or f"Patch {attempt.patch.patch_id} of {attempt.patch.resource_id}"
    attribution = msgspec.structs.replace(mode.attribution, why=why)
    return msgspec.structs.replace(mode, attribution=attribution, conditions=ANY_VERSION)
