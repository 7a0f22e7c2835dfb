"""Confirmation: what the provider says became of a dispatched patch, believed once, and only with its token."""

import hashlib
import hmac
from typing import Any

import msgspec

from service.core import values
from service.core.owned import OWNED
from service.core.timestamp import format_timestamp
from service.core.undo import take_back
from service.core.values import Json
from service.delivery import Confirmation
from service.errors import (
    ApplicationFailedError,
    ForbiddenError,
    InvalidTransitionError,
    NotFoundError,
    UnauthenticatedError,
    Violation,
)
from service.model import Attribution, Change, Companion, Draft
from service.patches import Application, Step
from service.ports import Changing
from service.usecases import attempts, drafting
from service.usecases.asked import Asked, admit
from service.usecases.dispatching import digest_of
from service.usecases.fitting import ANY_VERSION
from service.usecases.patching import Desk
from service.usecases.writing import Mode, Target, write

_MOST_CLASHES = 100


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider says: whether it did it, why not, and what the target's content is now, if it changed it."""

    success: bool
    message: str | None = None
    modified_content: dict[str, Any] | None = None


def unknown() -> NotFoundError:
    """Build the refusal of an id that no application has."""
    return NotFoundError("There is no application with this id; GET …/patches/{patch_id}/applications lists a patch's.")


async def confirm(
    application_id: str, token: str | None, said: Said, desk: Desk, *, dry_run: bool = False
) -> Application:
    """Bring the application to its end as the provider says; the same confirmation again answers the same.

    Raises `UnauthenticatedError` without a token, `ForbiddenError` for one that is not of this application,
    `InvalidTransitionError` for one that comes too late or says something else the second time, and what a write of the
    content raises: the application then still waits, and the token is still good.
    """
    application = await _find(application_id, desk)
    awaited = await _check_token(application, token, desk)
    digest = _digest(said)
    if awaited.said is not None:
        if awaited.said == digest:
            return await _find(application_id, desk)  # it may have been confirmed after it was read
        raise InvalidTransitionError("This attempt was confirmed already, and otherwise. What was said first stands.")
    if application.status != "dispatched" or application.attempt != awaited.attempt:
        raise InvalidTransitionError(
            f"The confirmation comes too late: the application is {application.status} "
            f"(attempt {application.attempt}). Legal now: nothing for this token."
        )
    if application.deadline_at is not None and format_timestamp(desk.clock.now()) > application.deadline_at:
        if not dry_run:
            await expire(application, desk)
        raise InvalidTransitionError(f"The deadline was {application.deadline_at}: the application has failed by it.")
    given = desk.confirmations.given(msgspec.structs.replace(awaited, said=digest))
    try:
        return await _conclude(application, said, given, desk, dry_run=dry_run)
    except InvalidTransitionError:
        awaited = await _check_token(application, token, desk)
        if awaited.said != digest:
            raise
        return await _find(application_id, desk)  # ended by the same confirmation, sent twice at a time


async def _find(application_id: str, desk: Desk) -> Application:
    application = await desk.applications.find(application_id)
    if application is None:
        raise unknown()
    return application


async def expire(application: Application, desk: Desk) -> None:
    """Let an application fail whose provider did not confirm by the deadline."""
    error = f"The provider '{application.provider}' did not confirm by {application.deadline_at}."
    await desk.applications.commit(attempts.concluded(application, "expire", "failed", "patchbay", desk, error=error))


async def _check_token(application: Application, token: str | None, desk: Desk) -> Confirmation:
    if not token:
        raise UnauthenticatedError("A confirmation carries the event's token: send it as Patchbay-Token.")
    attempt, _, _ = token.partition(".")
    known = token.isascii() and attempt.isdigit() and len(attempt) < 9
    awaited = await desk.confirmations.find(application.id, int(attempt)) if known else None
    if awaited is None or not hmac.compare_digest(awaited.digest, digest_of(token)):
        raise ForbiddenError("The token is not one of this application.")
    return awaited


def _digest(said: Said) -> str:
    return hashlib.sha256(values.encode_sorted(msgspec.to_builtins(said))).hexdigest()


async def _conclude(
    application: Application, said: Said, given: Companion, desk: Desk, *, dry_run: bool
) -> Application:
    by = application.provider
    if not said.success:
        error = said.message or f"The provider '{by}' says that it failed."
        step = attempts.concluded(application, "confirm", "failed", by, desk, error=error)
    elif said.modified_content is None:
        step = attempts.concluded(application, "confirm", "applied", by, desk, result_version=application.base_version)
    else:
        return await _take_over(application, said, given, desk, dry_run=dry_run)
    if not dry_run:
        await desk.applications.commit(step, (given,))
    return step.after


async def _take_over(
    application: Application, said: Said, given: Companion, desk: Desk, *, dry_run: bool
) -> Application:
    """Make the content the target's next version, in one write with the application's end."""
    base = await _content_at_base(application, desk)
    known = await desk.shelf.catalog.find(application.target_type)
    why = said.message or f"Patch {application.patch_id} of {application.resource_id}, by {application.provider}"
    last: list[Step] = []

    def making(asked: Asked) -> Changing:
        return _taking_over(application, asked, base, said.modified_content, (given, last), desk)

    shown = await write(
        Target(application.target_type, application.target_id),
        known,
        making,
        Mode(attribution=Attribution(by=application.provider, why=why), conditions=ANY_VERSION, dry_run=dry_run),
        desk.shelf,
    )
    if not shown.changed and not dry_run:
        await desk.applications.commit(last[-1], (given,))
    return last[-1].after


def _taking_over(
    application: Application, asked: Asked, base: Json, content: Json, noted: tuple[Companion, list[Step]], desk: Desk
) -> Changing:
    """Carry what the provider changed over to the target as it stands, which others may have changed meanwhile."""
    given, last = noted

    def change(draft: Draft | None) -> Change | None:
        standing = admit(asked, draft)
        version = standing.version
        taken = take_back(_plain(content), base, standing.content)
        if taken.clashes:
            raise _in_the_way([each.pointer for each in taken.clashes])
        made = drafting.replacing(asked, taken.document)(draft)
        result = application.base_version if made is None else version + 1
        step = attempts.concluded(application, "confirm", "applied", application.provider, desk, result_version=result)
        last.append(step)
        if made is None:
            return None
        companions = (*made.companions, *desk.applications.companions(step), given)
        return msgspec.structs.replace(made, companions=companions)

    return change


def _plain(content: Json) -> Json:
    """Leave out the members that the service owns, which a provider sends back as it saw them."""
    if not isinstance(content, dict):
        return content
    return {name: value for name, value in content.items() if name not in OWNED}


async def _content_at_base(application: Application, desk: Desk) -> Json:
    version = application.base_version or 1
    resource = await desk.shelf.resources.find_version(application.target_id, version)
    if resource is None:
        raise ApplicationFailedError(f"Version {version} of the target is kept no more; what changed cannot be told.")
    return drafting.content_of(resource)


def _in_the_way(pointers: list[str]) -> ApplicationFailedError:
    detail = "The target was changed since at the same place as the provider changed it: {}."
    violations = tuple(
        Violation(code=ApplicationFailedError.code, detail="changed by the provider and by others", pointer=pointer)
        for pointer in pointers[:_MOST_CLASHES]
    )
    return ApplicationFailedError(detail.format(", ".join(pointers[:5])), violations=violations)
