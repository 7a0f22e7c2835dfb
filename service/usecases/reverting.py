"""Reverting an application: the inverse, merged with what changed since, recorded as a patch of its own and applied."""

from typing import NamedTuple

import msgspec

from service.core.timestamp import format_timestamp
from service.core.undo import Clash, take_back
from service.core.values import Json
from service.delivery import BUILTIN
from service.errors import ApplicationFailedError, IdempotencyKeyReusedError, InvalidTransitionError, Violation
from service.model import Caller, Change, Companion, Draft, Resource
from service.patches import Application, Definition, Patch, Standing, Step
from service.ports import Changing
from service.usecases import attempts, drafting
from service.usecases.applications import target_of
from service.usecases.asked import Asked, admit
from service.usecases.attempts import Attempt
from service.usecases.fitting import ANY_VERSION, FAILURES, Aim, check_version
from service.usecases.patching import Desk, Recorded, describe, find_resource
from service.usecases.recording import recorded
from service.usecases.writing import Mode, Target, write

_LONGEST_STEM = 150
_MOST_CLASHES = 100


class _Reversal(NamedTuple):
    """An application about to be taken back: what the target was before it, and what it became."""

    patch: Patch
    application: Application
    target: Resource
    was: Json
    became: Json
    caller: Caller
    write_id: str | None


class _Outcome(msgspec.Struct):
    """What the change made when it was made last: the new patch, its application, and the old one reverted."""

    patch: Patch | None = None
    applied: Step | None = None
    companions: tuple[Companion, ...] = ()


async def revert(patch: Patch, aim: Aim, caller: Caller, mode: Mode, desk: Desk) -> Recorded:
    """Take an applied patch back: the new patch, its application and the target's next version are one write.

    Raises `InvalidTransitionError`, and `ApplicationFailedError` with one violation for each place that a later change
    touched too; nothing is recorded then.
    """
    target = await find_resource(await target_of(patch, aim, "revert", caller, desk), caller, desk)
    write_id = mode.attribution.write_id

    async def tell(moved: Application) -> Recorded:
        return await _find_inverse(moved, caller, desk)

    return await attempts.once(
        patch, target.id, write_id, desk, lambda: _take_back(patch, target, aim, caller, mode, desk), tell
    )


async def _take_back(patch: Patch, target: Resource, aim: Aim, caller: Caller, mode: Mode, desk: Desk) -> Recorded:
    application = (await attempts.begin(patch, target, "revert", caller.name, desk)).before
    if application is None or application.base_version is None or application.result_version is None:
        raise InvalidTransitionError("The application made no version of its target, so there is none to take back.")
    result = application.result_version
    # Others may have come between the base and the result of a provider who took its time.
    was = await _content_at(target, result - (result != application.base_version), desk)
    became = await _content_at(target, result, desk)
    reversal = _Reversal(patch, application, target, was, became, caller, mode.attribution.write_id)
    try:
        return await _carry_out(reversal, aim, mode, desk)
    except FAILURES as error:
        detail = f"The patch cannot be taken back: {error.detail}"
        raise ApplicationFailedError(detail, violations=error.violations) from error


async def _carry_out(reversal: _Reversal, aim: Aim, mode: Mode, desk: Desk) -> Recorded:
    known = await desk.shelf.catalog.find(reversal.target.type)
    why = mode.attribution.why or f"Revert of patch {reversal.patch.patch_id} of {reversal.patch.resource_id}"
    attribution = msgspec.structs.replace(mode.attribution, why=why)
    outcome = _Outcome()
    shown = await write(
        Target(reversal.target.type, reversal.target.id),
        known,
        lambda asked: _reverting(reversal, aim, asked, outcome, desk),
        msgspec.structs.replace(mode, attribution=attribution, conditions=ANY_VERSION),
        desk.shelf,
    )
    if outcome.patch is None or outcome.applied is None:  # done by the same request, sent twice at a time
        moved = await attempts.find_moved(reversal.patch, reversal.target.id, reversal.write_id, desk)
        return await _find_inverse(moved, reversal.caller, desk)
    if not shown.changed and not mode.dry_run:
        await desk.applications.commit(outcome.applied, outcome.companions)
    return Recorded(outcome.patch, Standing("applied"), is_new=True)


def _reverting(reversal: _Reversal, aim: Aim, asked: Asked, outcome: _Outcome, desk: Desk) -> Changing:
    """Make the change that takes the patch back, and have what is recorded of it written with it."""

    def change(draft: Draft | None) -> Change | None:
        standing = admit(asked, draft)
        check_version(standing.version, aim)
        taken = take_back(reversal.was, reversal.became, standing.content)
        if taken.clashes:
            raise _in_the_way(taken.clashes)
        base = standing.version
        made = drafting.reverting(asked, taken.document)(draft)
        patch = outcome.patch = _inverse(reversal, made.forward if made else b"[]", desk)
        attempt = Attempt(patch, reversal.target, None, "apply", reversal.caller.name, patch.created_at, None)
        outcome.applied = attempts.applied(attempt, base, base + (made is not None), desk, BUILTIN)
        back = attempts.reverted(reversal.application, patch.patch_id, reversal.caller.name, reversal.write_id, desk)
        outcome.companions = (
            *desk.applications.companions(back),
            *desk.patches.companions(patch, recorded(patch, reversal.target.type)),
        )
        if made is None:
            return None
        applied = desk.applications.companions(outcome.applied)
        return msgspec.structs.replace(made, companions=(*made.companions, *outcome.companions, *applied))

    return change


def _inverse(reversal: _Reversal, operations: bytes, desk: Desk) -> Patch:
    """Make the record of the patch that takes the other one back. It belongs to the target, which it is made for."""
    patch, application = reversal.patch, reversal.application
    return Patch(
        resource_id=reversal.target.id,
        definition=Definition(
            patch_id=_inverse_id(application),
            description=f"Takes back attempt {application.attempt} of patch {patch.patch_id}",
            payload={"operations": msgspec.json.decode(operations)},
            metadata={
                "reverts": {
                    "resource_id": patch.resource_id,
                    "patch_id": patch.patch_id,
                    "application_id": application.id,
                    "attempt": application.attempt,
                }
            },
        ),
        constraints=(),
        fingerprint=f"revert:{application.id}:{application.attempt}",
        created_by=reversal.caller.name,
        created_at=format_timestamp(desk.clock.now()),
    )


def _inverse_id(application: Application) -> str:
    return f"{application.patch_id[:_LONGEST_STEM]}-revert-{application.id[:8]}-{application.attempt}"


async def _content_at(target: Resource, version: int, desk: Desk) -> Json:
    resource = await desk.shelf.resources.find_version(target.id, version)
    if resource is None:
        raise ApplicationFailedError(
            f"The patch cannot be taken back: the history of the target no longer holds version {version}."
        )
    return msgspec.json.decode(resource.text)


def _in_the_way(clashes: list[Clash]) -> ApplicationFailedError:
    more = f", and at {len(clashes) - 1} more places" if len(clashes) > 1 else ""
    violations = tuple(
        Violation(
            code=ApplicationFailedError.code,
            detail=f"a later change touched '{each.pointer}' too",
            pointer=each.pointer,
            **{
                name: value
                for name, key, value in (("expected", "left", each.left), ("actual", "stands", each.stands))
                if key not in each.absent
            },
        )
        for each in clashes[:_MOST_CLASHES]
    )
    detail = f"later changes touched what it changed, at '{clashes[0].pointer}'{more}."
    return ApplicationFailedError(detail, violations=violations)


async def _find_inverse(moved: Application | None, caller: Caller, desk: Desk) -> Recorded:
    """Return the patch that took an application back, for a request whose answer was lost."""
    inverse_id = None if moved is None else moved.reverted_by
    inverse = None if moved is None or inverse_id is None else await desk.patches.find(moved.target_id, inverse_id)
    if inverse is None:
        raise IdempotencyKeyReusedError
    return await describe(inverse, caller, desk)
