"""`POST /types/{type}/check`: which existing resources a definition would refuse, told on the way."""

from collections.abc import AsyncIterator

import msgspec
from aiohttp import web

from service.api import wire
from service.api.replies import JSON, choose, encode, json_reply
from service.api.route import Answer, Content, Param, Route
from service.api.types import DEFINITION, ERRORS, TYPE, PutType, read_definition
from service.errors import NotAcceptableError
from service.keys import LISTER, SHELF
from service.usecases import types
from service.usecases.types import Progress, Refused

LINES = "application/x-ndjson"
_MAX_REPORTED = 500


class CheckReport(msgspec.Struct, rename="camel"):
    """What a check found; at most 500 resources are told of one by one."""

    checked: int
    refused: int
    resources: list[Refused]


async def check_type(request: web.Request) -> web.StreamResponse:
    """Hold all resources of a type against its definition, or against one that is sent."""
    wanted = choose(request, (JSON, LINES))
    name = request.match_info["type"]
    definition = await read_definition(request, name) if request.body_exists else None
    found = types.check(name, definition, request.app[LISTER], request.app[SHELF])
    if wanted == LINES:
        return await _stream(request, found)
    return json_reply(await _report(found))


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


ROUTES = (
    Route(
        method="POST",
        path="/types/{type}/check",
        handler=check_type,
        summary="Check existing resources against a definition",
        tag="types",
        description="Without a body against the type's own. As lines of JSON it tells its progress on the way.",
        params=(
            TYPE,
            Param(name="Accept", where="header", description=f"`{LINES}` for one finding per line"),
        ),
        body=(Content(schema=PutType, examples={"contained": DEFINITION}),),
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
        errors=(*ERRORS, *wire.BODY_ERRORS, NotAcceptableError),
    ),
)
