"""`/types/{type}`: what resources of a type may look like."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from aiohttp import web

from service.api import resource_examples as examples
from service.api import wire
from service.api.bodies import read_body
from service.api.comparing import flag
from service.api.paging import LINK_HEADER, PAGE_PARAMS, cursor_of, limit_of, next_link, write_cursor
from service.api.replies import JSON, choose, encode, json_reply
from service.api.route import Answer, Content, Param, Route
from service.core.definition import Parent, TypeDefinition
from service.errors import (
    InvalidRequestError,
    MalformedJsonError,
    NotAcceptableError,
    NotFoundError,
    StoreUnavailableError,
    TooLargeError,
    UnsupportedMediaTypeError,
)
from service.keys import INDEXES, LISTER, SETTINGS, SHELF, TYPES
from service.usecases import types
from service.usecases.catalog import KnownType
from service.usecases.types import Progress, Refused

LINES = "application/x-ndjson"
_MAX_REPORTED = 500


class TypeShown(
    msgspec.Struct,
    kw_only=True,
    rename={"name": "type", "json_schema": "schema", "identified_lists": "identifiedLists"},
):
    """A type's definition, defaults written out."""

    name: str
    json_schema: Any = msgspec.UNSET
    identified_lists: tuple[str, ...]
    required: tuple[str, ...]
    provider: str
    parent: Parent | msgspec.UnsetType = msgspec.UNSET
    indexes: tuple[str, ...]


class CheckReport(msgspec.Struct, rename="camel"):
    """What a check found; at most 500 resources are told of one by one."""

    checked: int
    refused: int
    resources: list[Refused]


async def put_type(request: web.Request) -> web.Response:
    """Define a type, or define it anew."""
    wire.check_media_type(request, (JSON,))
    name, shelf = request.match_info["type"], request.app[SHELF]
    definition = await _read_definition(request)
    dry_run = flag(request, "dryRun")
    is_new = await types.define(name, definition, request.app[TYPES], request.app[INDEXES], shelf, dry_run=dry_run)
    headers = {"Location": f"/types/{name}"} if is_new and not dry_run else {}
    return json_reply(_show(name, definition), status=201 if is_new else 200, headers=headers)


async def get_type(request: web.Request) -> web.Response:
    """Answer a type's definition."""
    return json_reply(_show_known(await types.find_defined(request.match_info["type"], request.app[SHELF])))


async def delete_type(request: web.Request) -> web.Response:
    """Forget a type's definition; its resources stay."""
    name = request.match_info["type"]
    await types.forget(name, request.app[TYPES], request.app[SHELF], dry_run=flag(request, "dryRun"))
    return web.Response(status=204)


async def list_types(request: web.Request) -> web.Response:
    """Answer the defined types in the order of their names."""
    limit, after = limit_of(request), cursor_of(request, "types", str) or ""
    found = [each for each in await request.app[SHELF].catalog.list_defined() if each.name > after]
    cursor = write_cursor("types", found[limit - 1].name) if len(found) > limit else None
    return json_reply([_show_known(each) for each in found[:limit]], headers=next_link(request, cursor))


async def check_type(request: web.Request) -> web.StreamResponse:
    """Hold all resources of a type against its definition, or against one that is sent."""
    wanted = choose(request, (JSON, LINES))
    definition = await _read_definition(request) if request.body_exists else None
    found = types.check(request.match_info["type"], definition, request.app[LISTER], request.app[SHELF])
    if wanted == LINES:
        return await _stream(request, found)
    return json_reply(await _report(found))


async def _read_definition(request: web.Request) -> TypeDefinition:
    wire.check_media_type(request, (JSON,))
    return wire.parse(await read_body(request), TypeDefinition, max_depth=request.app[SETTINGS].max_depth)


async def _report(found: AsyncIterator[Refused | Progress]) -> CheckReport:
    report = CheckReport(0, 0, [])
    async for each in found:
        if isinstance(each, Progress):
            report.checked, report.refused = each.checked, each.refused
        elif len(report.resources) < _MAX_REPORTED:
            report.resources.append(each)
    return report


async def _stream(request: web.Request, found: AsyncIterator[Refused | Progress]) -> web.StreamResponse:
    """Send each finding as a line when it is made."""
    first = await anext(found)  # what is wrong with the request is said before the answer begins
    response = web.StreamResponse(headers={"Content-Type": LINES})
    await response.prepare(request)
    await response.write(_line(first))
    async for each in found:
        await response.write(_line(each))
    await response.write_eof()
    return response


def _line(found: Refused | Progress) -> bytes:
    return encode({"progress" if isinstance(found, Progress) else "refused": found}) + b"\n"


def _show_known(known: KnownType) -> TypeShown:
    return _show(known.name, known.definition)


def _show(name: str, definition: TypeDefinition) -> TypeShown:
    return TypeShown(
        name=name,
        json_schema=definition.json_schema,
        identified_lists=definition.identified_lists,
        required=("If-Match",) if definition.requires_if_match else (),
        provider=definition.provider,
        parent=definition.parent,
        indexes=definition.indexes,
    )


_DEFINITION = {
    "schema": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}}},
    "required": ["If-Match"],
    "parent": {"type": "clinic", "property": "clinic", "as": "practices"},
}
_SHOWN = Content(schema=TypeShown)
_DRY_RUN = examples.DRY_RUN
_ERRORS = (InvalidRequestError, StoreUnavailableError)
_BODY_ERRORS = (MalformedJsonError, UnsupportedMediaTypeError, TooLargeError)

ROUTES = (
    Route(
        method="GET",
        path="/types",
        handler=list_types,
        summary="List the defined types",
        tag="types",
        params=PAGE_PARAMS,
        answers=(
            Answer(
                status=200,
                description="A page of definitions",
                content=(Content(schema=list[TypeShown]),),
                headers=(LINK_HEADER,),
            ),
        ),
        errors=_ERRORS,
    ),
    Route(
        method="PUT",
        path="/types/{type}",
        handler=put_type,
        summary="Define a type",
        tag="types",
        access="admin",
        description=(
            "Resources that exist are not touched: `POST /types/{type}/check` tells which of them the definition "
            "would refuse. Other instances follow within a second. The schema (JSON Schema 2020-12) is about the "
            "content, without id, createdAt and updatedAt; no reference to another document is fetched, and patterns "
            "are those that run in linear time."
        ),
        params=(examples.TYPE, _DRY_RUN),
        body=(Content(schema=TypeDefinition, examples={"contained": _DEFINITION}),),
        answers=(
            Answer(status=200, description="Defined anew", content=(_SHOWN,)),
            Answer(status=201, description="Defined", content=(_SHOWN,), headers=(examples.LOCATION,)),
        ),
        errors=(*_ERRORS, *_BODY_ERRORS),
    ),
    Route(
        method="GET",
        path="/types/{type}",
        handler=get_type,
        summary="Read a type's definition",
        tag="types",
        params=(examples.TYPE,),
        answers=(Answer(status=200, description="The definition", content=(_SHOWN,)),),
        errors=(*_ERRORS, NotFoundError),
    ),
    Route(
        method="DELETE",
        path="/types/{type}",
        handler=delete_type,
        summary="Forget a type's definition",
        tag="types",
        access="admin",
        params=(examples.TYPE, _DRY_RUN),
        answers=(Answer(status=204, description="Resources of the type live by the defaults"),),
        errors=(*_ERRORS, NotFoundError),
    ),
    Route(
        method="POST",
        path="/types/{type}/check",
        handler=check_type,
        summary="Check existing resources against a definition",
        tag="types",
        description="Without a body against the type's own. As lines of JSON it tells its progress on the way.",
        params=(
            examples.TYPE,
            Param(name="Accept", where="header", description=f"`{LINES}` for one finding per line"),
        ),
        body=(Content(schema=TypeDefinition, examples={"contained": _DEFINITION}),),
        body_required=False,
        answers=(
            Answer(
                status=200,
                description="What was found",
                content=(
                    Content(schema=CheckReport),
                    Content(schema={"type": "string"}, media_type=LINES),
                ),
            ),
        ),
        errors=(*_ERRORS, *_BODY_ERRORS, NotAcceptableError),
    ),
)
