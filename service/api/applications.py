"""Patches carried out: apply, retry, cancel, revert, and what came of it."""

from typing import Any

from aiohttp import web

from service.api import patch_examples as examples
from service.api import wire, writes
from service.api.examples import LOCATION_HEADER
from service.api.idempotency import KEY_PARAM, idempotent
from service.api.paging import LINK_HEADER, PAGE_PARAMS, cursor_of, limit_of, next_link, write_cursor
from service.api.patches import PatchRecord, answer_record, find_patch
from service.api.replies import json_reply
from service.api.resource_examples import DRY_RUN, MESSAGE
from service.api.route import Answer, Content, Handler, Route
from service.core.lifecycle import Verb
from service.errors import ApplicationFailedError, ServiceError
from service.keys import CALLER, DESK
from service.patches import Application, Move
from service.usecases import applications, reverting
from service.usecases.fitting import Aim


@idempotent
async def apply_patch(request: web.Request) -> web.Response:
    """Carry the patch out on a target."""
    return await _apply(request, "apply")


@idempotent
async def retry_patch(request: web.Request) -> web.Response:
    """Carry the patch out again after it failed."""
    return await _apply(request, "retry")


@idempotent
async def cancel_patch(request: web.Request) -> web.Response:
    """Call an application off."""
    aim, mode = await wire.read(request, Aim, absent=Aim()), writes.mode_of(request)
    patch = await find_patch(request)
    application = await applications.cancel(patch, aim, request[CALLER], mode, request.app[DESK])
    return json_reply(application)


@idempotent
async def revert_patch(request: web.Request) -> web.Response:
    """Take an application back by a patch of its own."""
    aim, mode = await wire.read(request, Aim, absent=Aim()), writes.mode_of(request)
    made = await reverting.revert(await find_patch(request), aim, request[CALLER], mode, request.app[DESK])
    response = answer_record(made, is_dry=mode.dry_run)
    response.set_status(201)
    return response


async def list_applications(request: web.Request) -> web.Response:
    """Answer the applications of a patch, the latest first."""
    patch, limit = await find_patch(request), limit_of(request)
    kind = f"applications {patch.resource_id} {patch.patch_id}"
    after = cursor_of(request, kind, tuple[str, str])
    store = request.app[DESK].applications
    found = await store.list_newest(patch.resource_id, patch.patch_id, request[CALLER].types, after, limit + 1)
    page = found[:limit]
    cursor = write_cursor(kind, (page[-1].started_at, page[-1].id)) if len(found) > limit else None
    return json_reply(page, headers=next_link(request, cursor))


async def list_patch_events(request: web.Request) -> web.Response:
    """Answer every move of a patch and its applications, oldest first."""
    patch, limit = await find_patch(request), limit_of(request)
    kind = f"events {patch.resource_id} {patch.patch_id}"
    after = cursor_of(request, kind, tuple[str, str])
    store, types = request.app[DESK].moves, request[CALLER].types
    found = await store.list_oldest(patch.resource_id, patch.patch_id, types, after, limit + 1)
    page = found[:limit]
    cursor = write_cursor(kind, (page[-1].at, page[-1].id)) if len(found) > limit else None
    return json_reply(page, headers=next_link(request, cursor))


async def _apply(request: web.Request, verb: Verb) -> web.Response:
    aim, mode = await wire.read(request, Aim, absent=Aim()), writes.mode_of(request)
    patch = await find_patch(request)
    application = await applications.apply(patch, aim, verb, request[CALLER], mode, request.app[DESK])
    status = 202 if application.status == "dispatched" else 200
    return json_reply(application, status=status)


_PATH = "/resources/{resource_id}/patches/{patch_id}"
_APPLICATION = Content(schema=Application, examples={"applied": examples.APPLIED})
_DONE = Answer(status=200, description="The application", content=(_APPLICATION,))
_SENT = Answer(status=202, description="Sent to the provider, who has not confirmed it yet", content=(_APPLICATION,))
_TARGETS = (
    "Without `target_id` the target is that of the patch's latest application, and without one the resource that the "
    "patch is recorded against."
)


def _move_route(
    verb: Verb,
    handler: Handler,
    summary: str,
    description: str,
    answers: tuple[Answer, ...],
    errors: tuple[type[ServiceError], ...],
) -> Route:
    return Route(
        method="POST",
        path=f"{_PATH}/{verb}",
        handler=handler,
        summary=summary,
        tag="patches",
        access="writer",
        description=description,
        params=(examples.RESOURCE_ID, examples.PATCH_ID, DRY_RUN, MESSAGE, KEY_PARAM),
        body=(Content(schema=Aim, examples=examples.AIMS),),
        body_required=False,
        answers=answers,
        errors=errors,
    )


def _list_route(name: str, handler: Handler, summary: str, items: type[list[Any]]) -> Route:
    return Route(
        method="GET",
        path=f"{_PATH}/{name}",
        handler=handler,
        summary=summary,
        tag="patches",
        params=(examples.RESOURCE_ID, examples.PATCH_ID, *PAGE_PARAMS),
        answers=(
            Answer(
                status=200,
                description="The list",
                content=(Content(schema=items),),
                headers=(LINK_HEADER,),
            ),
        ),
        errors=examples.READ_ERRORS,
    )


ROUTES = (
    _move_route(
        "apply",
        apply_patch,
        "Apply a patch to a target",
        "The target's next version and the application are one write. Without `target_id` the target is the resource "
        "that the patch is recorded against. A target that does not fit is refused with every verdict; where an "
        "operation fails, the application is recorded as failed and the target stays as it is.",
        (_DONE, _SENT),
        examples.APPLY_ERRORS,
    ),
    _move_route(
        "retry",
        retry_patch,
        "Apply a patch again after it failed",
        _TARGETS,
        (_DONE, _SENT),
        examples.APPLY_ERRORS,
    ),
    _move_route(
        "cancel",
        cancel_patch,
        "Call an application off that has not ended",
        f"It is `failed` then, with an error that says so. {_TARGETS}",
        (_DONE,),
        examples.MOVE_ERRORS,
    ),
    _move_route(
        "revert",
        revert_patch,
        "Take an applied patch back",
        "Makes the inverse as a new patch of the target, and applies it; later changes beside it are kept. Where a "
        f"later change touched the same place, nothing is done and every such place is named. {_TARGETS}",
        (
            Answer(
                status=201,
                description="The new patch, which is applied",
                content=(Content(schema=PatchRecord),),
                headers=(LOCATION_HEADER,),
            ),
        ),
        (*examples.MOVE_ERRORS, ApplicationFailedError),
    ),
    _list_route(
        "applications", list_applications, "List the applications of a patch, the latest first", list[Application]
    ),
    _list_route("events", list_patch_events, "List the moves of a patch, oldest first", list[Move]),
)
