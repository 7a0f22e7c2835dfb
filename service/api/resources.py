"""`/v1/{type}/{id}`: resources created, read, replaced, patched in three dialects, deleted."""

from dataclasses import replace
from datetime import datetime

from aiohttp import web

from service.api import history, wire, writes
from service.api import resource_examples as examples
from service.api.bodies import read_body
from service.api.conditions import format_tag, read_conditions
from service.api.flags import flag
from service.api.headers import ALLOWED, PATCHED, POSTED
from service.api.idempotency import KEY_ERRORS, KEY_PARAM, idempotent
from service.api.replies import JSON, json_reply
from service.api.resource_errors import CHANGE_ERRORS, READ_ERRORS, WRITE_ERRORS
from service.api.route import Answer, Content, Handler, Param, Route
from service.core import values
from service.errors import (
    ForbiddenError,
    InvalidPatchError,
    OverloadedError,
    PathNotAllowedError,
    PathNotFoundError,
    PreconditionRequiredError,
    ReferencedError,
    TestFailedError,
    VersionConflictError,
)
from service.keys import CALLER, SETTINGS, SHELF
from service.usecases import histories, resources
from service.usecases.asked import Limits
from service.usecases.presenting import Shown
from service.usecases.resources import Dialect
from service.usecases.shelf import Shelf
from service.usecases.writing import Target

DIALECTS: dict[str, Dialect] = {
    JSON: "plain",
    "application/json-patch+json": "json-patch",
    "application/merge-patch+json": "merge-patch",
}


@idempotent
async def create_resource(request: web.Request) -> web.Response:
    """Make a resource; the service chooses its id."""
    wire.check_media_type(request, (JSON,))
    target = Target(request.match_info["type"], writes.new_id(request), request[CALLER].types)
    content = await writes.read_content(request)
    shown = await resources.create(target, content, writes.mode_of(request), request.app[SHELF])
    return writes.reply(request, shown, created=True)


async def get_resource(request: web.Request) -> web.Response:
    """Answer a resource by its id or one of its identifiers, as it stands or as it stood."""
    target, place = writes.target_of(request), history.read_place(request)
    if place is not None:
        return _answer(request, await _find_earlier(target, place, request.app[SHELF]))
    return _answer(request, await resources.find(target, request.app[SHELF]))


async def get_any_resource(request: web.Request) -> web.Response:
    """Answer a resource of any type by its id, as it stands or as it stood."""
    named, shelf, place = request.match_info["resource_id"], request.app[SHELF], history.read_place(request)
    if place is not None:
        target = await resources.locate(named, request[CALLER], shelf)
        return _answer(request, await _find_earlier(target, place, shelf))
    return _answer(request, await resources.find_by_id(named, request[CALLER], shelf))


async def _find_earlier(target: Target, place: int | datetime, shelf: Shelf) -> Shown:
    if isinstance(place, int):
        return await histories.find_version(target, place, shelf)
    return await histories.find_at(target, place, shelf)


async def replace_resource(request: web.Request) -> web.Response:
    """Replace a resource; with `If-None-Match: *`, create it under the id of the URL."""
    wire.check_media_type(request, (JSON,))
    mode = writes.mode_of(request)
    content = await writes.read_content(request)
    creates = mode.conditions.wants_none
    use_case = resources.create if creates else resources.replace
    shown = await use_case(writes.target_of(request), content, mode, request.app[SHELF])
    return writes.reply(request, shown, created=creates)


@idempotent
async def patch_resource(request: web.Request) -> web.Response:
    """Apply a patch in the dialect that the content type names."""
    settings = request.app[SETTINGS]
    dialect = DIALECTS[wire.check_media_type(request, tuple(DIALECTS))]
    body = values.decode(await read_body(request), max_depth=settings.max_depth + wire.ENVELOPE_DEPTH)
    limits = Limits(settings.max_depth, settings.max_operations, settings.max_input_bytes)
    mode = writes.mode_of(request)
    shown = await resources.patch(writes.target_of(request), body, dialect, limits, mode, request.app[SHELF])
    return writes.reply(request, shown)


async def delete_resource(request: web.Request) -> web.Response:
    """Delete a resource; its history stays, and `revert` brings it back."""
    mode = writes.mode_of(request)
    await resources.delete(writes.target_of(request), mode, request.app[SHELF], cascade=flag(request, "cascade"))
    return web.Response(status=204)


async def describe_resources(request: web.Request) -> web.Response:  # noqa: ARG001
    """Say what a type's URL takes."""
    return web.Response(status=204, headers={"Allow": "GET, HEAD, POST, OPTIONS", "Accept-Post": JSON})


async def describe_resource(request: web.Request) -> web.Response:  # noqa: ARG001
    """Say what a resource's URL takes."""
    allowed = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"
    return web.Response(status=204, headers={"Allow": allowed, "Accept-Patch": ", ".join(DIALECTS)})


def _answer(request: web.Request, shown: Shown) -> web.Response:
    """Answer a resource that was read, or 304 when the client has this version."""
    headers = {"ETag": format_tag(shown.resource.version)}
    known = read_conditions(request).if_none_match
    if known is not None and known.match(shown.resource.version) and not shown.varies:
        return web.Response(status=304, headers=headers)
    return json_reply(shown.text, headers=headers)


_SHOWN = Content(schema=examples.SCHEMA, examples={"clinic": examples.CLINIC})
_FOUND = Answer(status=200, description="The resource", content=(_SHOWN,), headers=(examples.ETAG_HEADER,))
_UNCHANGED = Answer(status=304, description="The client has this version", headers=(examples.ETAG_HEADER,))
_MINIMAL = Answer(status=204, description="Done, as little said as preferred", headers=(examples.ETAG_HEADER,))
_MADE = replace(_MINIMAL, headers=(examples.ETAG_HEADER, examples.LOCATION))
_CREATED = Answer(
    status=201, description="The new resource", content=(_SHOWN,), headers=(examples.ETAG_HEADER, examples.LOCATION)
)
_CONTENT = Content(schema=examples.CONTENT_SCHEMA, examples={"clinic": examples.NEW_CLINIC})
_PATCHES = (
    Content(schema=examples.PLAIN_SCHEMA, media_type=JSON, examples=examples.PLAIN_PATCHES),
    Content(
        schema=examples.JSON_PATCH_SCHEMA,
        media_type="application/json-patch+json",
        examples=examples.JSON_PATCHES,
    ),
    Content(
        schema={"$ref": "#/components/schemas/MergePatch"},
        media_type="application/merge-patch+json",
        examples=examples.MERGE_PATCHES,
    ),
)


def _options(path: str, handler: Handler, params: tuple[Param, ...], *headers: Param) -> Route:
    return Route(
        method="OPTIONS",
        path=path,
        handler=handler,
        summary="What may be sent here",
        tag="resources",
        access=None,
        params=params,
        answers=(Answer(status=204, description="The methods and the content types", headers=(ALLOWED, *headers)),),
    )


ROUTES = (
    Route(
        method="POST",
        path="/v1/{type}",
        handler=create_resource,
        summary="Create a resource",
        tag="resources",
        access="writer",
        description="Items of identified lists (by default phone, email, fax, address, social) are given ids.",
        params=(examples.TYPE, *examples.WRITE_PARAMS, KEY_PARAM),
        body=(_CONTENT,),
        answers=(_CREATED, _MADE),
        errors=(*WRITE_ERRORS, *KEY_ERRORS),
    ),
    _options("/v1/{type}", describe_resources, (examples.TYPE,), POSTED),
    Route(
        method="GET",
        path="/v1/{type}/{id}",
        handler=get_resource,
        summary="Read a resource",
        tag="resources",
        params=(examples.TYPE, examples.ID, *history.PLACE_PARAMS, examples.IF_NONE_MATCH),
        answers=(_FOUND, _UNCHANGED),
        errors=READ_ERRORS,
    ),
    Route(
        method="PUT",
        path="/v1/{type}/{id}",
        handler=replace_resource,
        summary="Replace a resource, or create it under an id",
        tag="resources",
        access="writer",
        description="Members that the service owns may be sent as they were read, or left out.",
        params=(examples.TYPE, examples.ID, examples.IF_MATCH, examples.CREATES, *examples.CHANGE_PARAMS),
        body=(_CONTENT,),
        answers=(_FOUND, _CREATED, _MADE),
        errors=CHANGE_ERRORS,
    ),
    Route(
        method="PATCH",
        path="/v1/{type}/{id}",
        handler=patch_resource,
        summary="Change parts of a resource",
        tag="resources",
        access="writer",
        description=(
            "All operations apply, or none. `application/json` takes paths like `name` and `phone/1`, and reaches a "
            "member or an item of its array; the other two types reach any depth. Without `If-Match` the patch is "
            "applied to the newest version, again if another write came first."
        ),
        params=(examples.TYPE, examples.ID, examples.IF_MATCH, *examples.CHANGE_PARAMS, KEY_PARAM),
        body=_PATCHES,
        answers=(_FOUND, _MINIMAL),
        errors=(
            InvalidPatchError,
            TestFailedError,
            PathNotFoundError,
            PathNotAllowedError,
            *CHANGE_ERRORS,
            *KEY_ERRORS,
        ),
    ),
    Route(
        method="DELETE",
        path="/v1/{type}/{id}",
        handler=delete_resource,
        summary="Delete a resource",
        tag="resources",
        access="writer",
        params=(
            examples.TYPE,
            examples.ID,
            examples.IF_MATCH,
            examples.DRY_RUN,
            examples.MESSAGE,
            Param(name="cascade", schema=bool, description="delete the resources it contains, too"),
        ),
        answers=(Answer(status=204, description="It is deleted; its history stays"),),
        errors=(
            ForbiddenError,
            *READ_ERRORS,
            PreconditionRequiredError,
            VersionConflictError,
            ReferencedError,
            OverloadedError,
        ),
    ),
    _options("/v1/{type}/{id}", describe_resource, (examples.TYPE, examples.ID), PATCHED),
    Route(
        method="GET",
        path="/resources/{resource_id}",
        handler=get_any_resource,
        summary="Read a resource of any type",
        tag="resources",
        params=(
            Param(name="resource_id", where="path", description="the id"),
            *history.PLACE_PARAMS,
            examples.IF_NONE_MATCH,
        ),
        answers=(_FOUND, _UNCHANGED),
        errors=READ_ERRORS,
    ),
)
