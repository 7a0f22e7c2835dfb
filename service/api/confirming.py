"""`POST /applications/{id}/confirm`: what a provider says became of a dispatched patch. Members are snake_case."""

from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from service import errors
from service.api import wire
from service.api.flags import flag
from service.api.idempotency import KEY_ERRORS, KEY_PARAM, idempotent
from service.api.replies import json_reply
from service.api.resource_examples import DRY_RUN
from service.api.route import Answer, Content, Param, Route
from service.keys import CALLER, DESK
from service.patches import Application
from service.usecases import confirming
from service.usecases.confirming import Said
from service.usecases.permission import check_found

TOKEN_HEADER = "Patchbay-Token"  # noqa: S105 - the header's name


class ConfirmRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the patch was carried out, why not, and the target's whole content if the provider changed it."""

    success: bool
    message: Annotated[str, Meta(max_length=4000)] | None = None
    modified_content: dict[str, Any] | UnsetType = UNSET


@idempotent
async def confirm_application(request: web.Request) -> web.Response:
    """Take the provider's word for what became of the patch."""
    asked = await wire.read(request, ConfirmRequest)
    said = Said(
        success=asked.success,
        message=asked.message,
        modified_content=None if asked.modified_content is UNSET else asked.modified_content,
    )
    token = request.headers.get(TOKEN_HEADER)
    application = await confirming.confirm(
        request.match_info["application_id"], token, said, request.app[DESK], dry_run=flag(request, "dryRun")
    )
    return json_reply(application)


async def get_application(request: web.Request) -> web.Response:
    """Answer an application."""
    application = await request.app[DESK].applications.find(request.match_info["application_id"])
    if application is None:
        raise confirming.unknown()
    check_found(request[CALLER], application.target_type)
    return json_reply(application)


_ID = Param(name="application_id", where="path", description="`id` of the application")

ROUTES = (
    Route(
        method="GET",
        path="/applications/{application_id}",
        handler=get_application,
        summary="Read an application",
        tag="patches",
        params=(_ID,),
        answers=(Answer(status=200, description="The application", content=(Content(schema=Application),)),),
        errors=(errors.NotFoundError, errors.ForbiddenError, errors.StoreUnavailableError),
    ),
    Route(
        method="POST",
        path="/applications/{application_id}/confirm",
        handler=confirm_application,
        summary="Confirm what became of a dispatched patch",
        tag="patches",
        access="provider",
        description=(
            "The provider's answer to an event `patch.dispatched`, with the event's token as `Patchbay-Token`. A "
            "success with `modified_content` makes it the target's next version, merged with what others changed. "
            "The same confirmation again answers the same and does nothing more."
        ),
        params=(
            _ID,
            Param(name=TOKEN_HEADER, where="header", required=True, description="the event's token"),
            DRY_RUN,
            KEY_PARAM,
        ),
        body=(
            Content(
                schema=ConfirmRequest,
                examples={
                    "done": {"success": True, "message": "migrated"},
                    "changed": {"success": True, "modified_content": {"name": "New Name"}},
                    "failed": {"success": False, "message": "out of disk"},
                },
            ),
        ),
        answers=(Answer(status=200, description="The application", content=(Content(schema=Application),)),),
        errors=(
            *wire.BODY_ERRORS,
            errors.UnauthenticatedError,
            errors.ForbiddenError,
            errors.NotFoundError,
            errors.GoneError,
            errors.InvalidTransitionError,
            errors.ApplicationFailedError,
            errors.SchemaViolationError,
            errors.ImmutablePropertyError,
            errors.NotStorableError,
            *KEY_ERRORS,
            errors.StoreUnavailableError,
        ),
    ),
)
