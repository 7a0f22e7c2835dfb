"""Dispatch: a patch handed to an outside provider, by an event that is written in one piece with the state."""

import hashlib
import secrets
from datetime import timedelta
from urllib.parse import quote

import msgspec

from service.core import values
from service.core.timestamp import format_timestamp
from service.delivery import Confirmation, Delivery, Endpoint, Notice
from service.errors import ApplicationFailedError
from service.model import Resource
from service.patches import Application, Patch
from service.usecases import attempts
from service.usecases.attempts import Attempt
from service.usecases.fitting import Aim, check_fit, check_version
from service.usecases.patching import Desk
from service.usecases.writing import Mode

_LARGEST_CONTENT = 1024 * 1024
"""Content above this many bytes is left out of the event; the provider reads it at its URL."""


async def dispatch(attempt: Attempt, aim: Aim, provider: str, mode: Mode, desk: Desk) -> Application:
    """Put the event for the provider into the outbox, together with the application's move.

    Raises `VersionConflictError`, `IncompatibleTargetError`, and `ApplicationFailedError` for a provider that there is
    not, or that is disabled.
    """
    check_version(attempt.target.version, aim)
    check_fit(values.decode(attempt.target.text, max_depth=desk.limits.max_depth), attempt.patch)
    endpoint = await desk.endpoints.find(provider)
    if endpoint is None or endpoint.disabled_at is not None:
        what = "is disabled, because it answered 410 Gone" if endpoint else "does not exist"
        raise ApplicationFailedError(
            f"The provider '{provider}' of the target's type {what}. PUT /providers/{provider}."
        )
    now = desk.clock.now()
    deadline_at = format_timestamp(now + timedelta(seconds=endpoint.deadline_s))
    step = attempts.dispatched(attempt, attempt.target.version, deadline_at, desk, provider)
    token = f"{step.after.attempt}.{secrets.token_urlsafe(32)}"
    others = (
        desk.confirmations.expecting(_confirmation(step.after, token)),
        desk.outbox.insertion(_delivery(attempt.patch, attempt.target, step.after, token, endpoint)),
    )
    if not mode.dry_run:
        await desk.applications.commit(step, others)
    return step.after


def digest_of(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _confirmation(application: Application, token: str) -> Confirmation:
    return Confirmation(
        application_id=application.id,
        resource_id=application.resource_id,
        attempt=application.attempt,
        digest=digest_of(token),
    )


def _delivery(patch: Patch, target: Resource, application: Application, token: str, endpoint: Endpoint) -> Delivery:
    at = application.started_at
    notice = Notice(
        id=f"msg_{hashlib.sha256(f'{application.id}:{application.attempt}'.encode()).hexdigest()[:32]}",
        type="patch.dispatched",
        source=f"/resources/{quote(patch.resource_id, safe='')}/patches/{quote(patch.patch_id, safe='')}",
        subject=application.id,
        time=at,
        data=msgspec.Raw(msgspec.json.encode(_data(patch, target, application, token))),
    )
    return Delivery(
        notice=notice,
        provider=endpoint.name,
        application_id=application.id,
        resource_id=application.resource_id,
        attempt=application.attempt,
        due_at=at,
        created_at=at,
    )


def _data(patch: Patch, target: Resource, application: Application, token: str) -> dict[str, object]:
    url = f"/applications/{application.id}/confirm"
    content = msgspec.Raw(target.text) if len(target.text) <= _LARGEST_CONTENT else None
    return {
        "application_id": application.id,
        "attempt": application.attempt,
        "patch": {"resource_id": patch.resource_id, "definition": patch.definition},
        "target": {
            "id": target.id,
            "type": target.type,
            "version": target.version,
            "url": f"/v1/{target.type}/{quote(target.id, safe='')}",
            "content": content,
        },
        "confirm": {"method": "POST", "url": url, "token": token, "deadline_at": application.deadline_at},
    }
