"""`…/patches/{patch_id}/check` and `/eligible`: what a patch would do to a target, and the resources that it fits."""

from aiohttp import web

from service.api import patch_examples as examples
from service.api import wire, writes
from service.api.idempotency import KEY_ERRORS, KEY_PARAM, idempotent
from service.api.paging import LINK_HEADER, PAGE_PARAMS, cursor_of, limit_of, next_link, write_cursor
from service.api.patches import find_patch
from service.api.query import only
from service.api.replies import json_reply
from service.api.route import Answer, Content, Param, Route
from service.errors import VersionConflictError
from service.keys import CALLER, DESK
from service.patches import Candidate, Preview
from service.usecases import patching, previewing
from service.usecases.fitting import Aim


@idempotent
async def check_patch(request: web.Request) -> web.Response:
    """Answer the verdict on each constraint, the document that the patch would give, and the difference."""
    aim = await wire.read(request, Aim, absent=Aim())
    patch, mode = await find_patch(request), writes.mode_of(request)
    seen = await previewing.preview(patch, aim, request[CALLER], mode, request.app[DESK])
    return json_reply(seen, headers={"ETag": f'"{seen.version}"'})


async def list_eligible(request: web.Request) -> web.Response:
    """Answer the resources that satisfy every constraint."""
    patch = await find_patch(request)
    resource_type = only(request, "type")
    kind = f"eligible {patch.resource_id} {patch.patch_id} {resource_type}"
    after = cursor_of(request, kind, str) or ""
    page = await patching.find_eligible(
        patch, resource_type, after, limit_of(request), request[CALLER], request.app[DESK]
    )
    cursor = None if page.after is None else write_cursor(kind, page.after)
    return json_reply(page.candidates, headers=next_link(request, cursor))


_PATH = "/resources/{resource_id}/patches/{patch_id}"

ROUTES = (
    Route(
        method="POST",
        path=f"{_PATH}/check",
        handler=check_patch,
        summary="Check a patch against a target, writing nothing",
        tag="patches",
        description="Without `target_id` the target is the resource that the patch is recorded against.",
        params=(examples.RESOURCE_ID, examples.PATCH_ID, KEY_PARAM),
        body=(Content(schema=Aim, examples=examples.AIMS),),
        body_required=False,
        answers=(
            Answer(
                status=200,
                description="Verdicts, the document that would result, and its difference from the present one",
                content=(Content(schema=Preview),),
                headers=(examples.ETAG,),
            ),
        ),
        errors=(*examples.BODY_ERRORS, VersionConflictError, *KEY_ERRORS),
    ),
    Route(
        method="GET",
        path=f"{_PATH}/eligible",
        handler=list_eligible,
        summary="List the resources that satisfy every constraint",
        tag="patches",
        description=(
            "By id. A page looks at a bounded number of resources: it may hold fewer than `limit`, even none, and "
            "still have a next one."
        ),
        params=(
            examples.RESOURCE_ID,
            examples.PATCH_ID,
            Param(name="type", description="only resources of this type", example="clinic"),
            *PAGE_PARAMS,
        ),
        answers=(
            Answer(
                status=200,
                description="The resources",
                content=(Content(schema=list[Candidate]),),
                headers=(LINK_HEADER,),
            ),
        ),
        errors=examples.READ_ERRORS,
    ),
)
