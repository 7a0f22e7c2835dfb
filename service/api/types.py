"""`/types/{type}`: what resources of a type may look like."""

from dataclasses import replace
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from service.api import resource_examples as examples
from service.api import wire
from service.api.flags import flag
from service.api.paging import LINK_HEADER, PAGE_PARAMS, cursor_of, limit_of, next_link, write_cursor
from service.api.replies import json_reply
from service.api.route import Answer, Content, Route
from service.core.definition import Parent, TypeDefinition, TypeName
from service.delivery import ProviderName
from service.errors import InvalidRequestError, NotFoundError, StoreUnavailableError
from service.keys import CALLER, INDEXES, SHELF, TYPES
from service.usecases import types
from service.usecases.catalog import KnownType


class PutType(TypeDefinition, frozen=True, kw_only=True):
    """Rules for the resources of a type. `required` lists request headers that every change must carry.

    `indexes` are members (`name`, `phone.value`) that lists are often filtered by.
    `schema` is a JSON Schema (2020-12) that content must hold to; the members that the service owns are no part of it.
    """

    provider: ProviderName = "builtin"
    type: Annotated[TypeName, Meta(description="may stand here, as it is read: the name in the path")] | UnsetType = (
        UNSET
    )


class TypeShown(
    msgspec.Struct,
    kw_only=True,
    rename={"name": "type", "json_schema": "schema", "identified_lists": "identifiedLists"},
):
    """A type's definition, defaults written out."""

    name: str
    json_schema: Any = UNSET
    identified_lists: tuple[str, ...]
    required: tuple[str, ...]
    provider: str
    parent: Parent | UnsetType = UNSET
    indexes: tuple[str, ...]


async def put_type(request: web.Request) -> web.Response:
    """Define a type, or define it anew."""
    name, shelf = request.match_info["type"], request.app[SHELF]
    definition = await read_definition(request, name)
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
    """Answer the defined types that the caller has a grant for, in the order of their names."""
    granted, known = request[CALLER].types, await request.app[SHELF].catalog.list_defined()
    limit, after = limit_of(request), cursor_of(request, "types", str) or ""
    found = [each for each in known if each.name > after and (granted is None or each.name in granted)]
    cursor = write_cursor("types", found[limit - 1].name) if len(found) > limit else None
    return json_reply([_show_known(each) for each in found[:limit]], headers=next_link(request, cursor))


async def read_definition(request: web.Request, name: str) -> TypeDefinition:
    """Read a body that is a definition of the type with the name."""
    sent = await wire.read(request, PutType)
    if sent.type not in (UNSET, name):
        raise InvalidRequestError(
            f"'type' is {sent.type}, but the path names {name}: send the same, or none.", field="type"
        )
    return TypeDefinition(**{member: getattr(sent, member) for member in TypeDefinition.__struct_fields__})


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


TYPE = replace(examples.TYPE, example="practice")
DEFINITION = {
    "schema": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}}},
    "required": ["If-Match"],
    "parent": {"type": "clinic", "property": "clinic", "as": "practices"},
}
_SHOWN = Content(schema=TypeShown)
_DRY_RUN = examples.DRY_RUN
ERRORS = (InvalidRequestError, StoreUnavailableError)

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
        errors=ERRORS,
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
        params=(TYPE, _DRY_RUN),
        body=(Content(schema=PutType, examples={"contained": DEFINITION}),),
        answers=(
            Answer(status=200, description="Defined anew", content=(_SHOWN,)),
            Answer(status=201, description="Defined", content=(_SHOWN,), headers=(examples.LOCATION,)),
        ),
        errors=(*ERRORS, *wire.BODY_ERRORS),
    ),
    Route(
        method="GET",
        path="/types/{type}",
        handler=get_type,
        summary="Read a type's definition",
        tag="types",
        params=(TYPE,),
        answers=(Answer(status=200, description="The definition", content=(_SHOWN,)),),
        errors=(*ERRORS, NotFoundError),
    ),
    Route(
        method="DELETE",
        path="/types/{type}",
        handler=delete_type,
        summary="Forget a type's definition",
        tag="types",
        access="admin",
        params=(TYPE, _DRY_RUN),
        answers=(Answer(status=204, description="Resources of the type live by the defaults"),),
        errors=(*ERRORS, NotFoundError),
    ),
)
