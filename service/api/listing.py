"""`GET /v1/{type}`: lists of resources."""

from aiohttp import web

from service.api import resource_examples as examples
from service.api.filters import OPERATORS, name_list, read_fields, read_filters, read_order, read_place
from service.api.paging import LINK_HEADER, PAGE_PARAMS, limit_of, next_link, write_cursor
from service.api.replies import json_reply
from service.api.route import Answer, Content, Param, Route
from service.core.listing import Listing
from service.errors import InvalidRequestError, NotAcceptableError, StoreUnavailableError, TooComplexError
from service.keys import CALLER, LISTER, SHELF
from service.usecases import listing
from service.usecases.writing import Target


async def list_resources(request: web.Request) -> web.Response:
    """Answer a page of the resources of a type."""
    resource_type = request.match_info["type"]
    order = read_order(request)
    listed = name_list(request, resource_type)
    asked = Listing(read_filters(request), order, read_place(request, listed, order))
    target, fields, limit = Target(resource_type, "", request[CALLER].types), read_fields(request), limit_of(request)
    page = await listing.list_resources(target, asked, fields, limit, request.app[LISTER], request.app[SHELF])
    cursor = None if page.rest is None else write_cursor(listed, page.rest)
    return json_reply(b"[" + b",".join(page.texts) + b"]", headers=next_link(request, cursor))


ROUTES = (
    Route(
        method="GET",
        path="/v1/{type}",
        handler=list_resources,
        summary="List resources of a type",
        tag="resources",
        description=(
            "Every other query parameter is a filter: `member=value` or `member[operator]=value`, where a member is "
            "a path like `name` or `phone.use` (a step through an array means any of its items) and the operators "
            f"are {', '.join(f'`{each}`' for each in OPERATORS)}. Values are JSON literals where they read as such, "
            "else text; `in` and `nin` take a JSON array or values with commas; `ne` and `nin` also find resources "
            "without the member. Without `sort`, resources come in the order they were created."
        ),
        takes_any_query=True,
        params=(
            examples.TYPE,
            Param(
                name="filter",
                schema={"type": "object", "additionalProperties": {"type": "string"}},
                description="the filters, each of which is sent as a parameter: `name=Foot%20clinic&beds[gte]=10`",
                example={"name": "Foot clinic"},
            ),
            Param(name="sort", description="members to sort by, `-` before one that descends", example="-updatedAt"),
            Param(name="fields", description="members to answer beside the id", example="name,phone"),
            *PAGE_PARAMS,
        ),
        answers=(
            Answer(
                status=200,
                description="A page of the list",
                content=(
                    Content(
                        schema={"type": "array", "items": examples.LISTED_SCHEMA},
                        examples={"clinics": [examples.CLINIC]},
                    ),
                ),
                headers=(LINK_HEADER,),
            ),
        ),
        errors=(InvalidRequestError, NotAcceptableError, TooComplexError, StoreUnavailableError),
    ),
)
