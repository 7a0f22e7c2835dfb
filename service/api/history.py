"""`?version`, `?at`, `/history`, `/diff`, `/revert`: what happened to a resource, and the way back."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from service.api import resource_examples as examples
from service.api import wire, writes
from service.api.comparing import JSON_PATCH
from service.api.hanging_up import while_awaited
from service.api.idempotency import KEY_ERRORS, KEY_PARAM, idempotent
from service.api.paging import LINK_HEADER, PAGE_PARAMS, cursor_of, limit_of, next_link, write_cursor
from service.api.query import only
from service.api.replies import JSON, choose, json_reply
from service.api.route import Answer, Content, Param, Route
from service.core.options import DiffOptions
from service.core.timestamp import parse_timestamp
from service.errors import (
    AmbiguousIdentifierError,
    DuplicateIdentifierError,
    InvalidRequestError,
    NotAcceptableError,
    NotFoundError,
    OverloadedError,
    PreconditionRequiredError,
    SchemaViolationError,
    StoreUnavailableError,
    TooComplexError,
    VersionConflictError,
)
from service.keys import COMPARER, SETTINGS, SHELF
from service.model import ChangeKind, Revision, Timestamp
from service.usecases import histories

JsonPatch = Annotated[msgspec.Raw, Meta(extra_json_schema=examples.JSON_PATCH_SCHEMA)]
_MAX_DIGITS = 10


class HistoryEntry(msgspec.Struct, rename="camel"):
    """How a version came about: who, when, why, and the patches from the version before and back to it."""

    version: int
    kind: ChangeKind
    at: Timestamp
    by: str
    message: str | None
    patch: JsonPatch
    inverse: JsonPatch


class RevertRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Which version to go back to."""

    version: Annotated[int, Meta(ge=1, lt=10**_MAX_DIGITS)]


async def list_history(request: web.Request) -> web.Response:
    """Answer how the versions of a resource came about, newest first."""
    listed = f"history {request.path}"
    before = cursor_of(request, listed, int)
    page = await histories.list_history(writes.target_of(request), limit_of(request), before, request.app[SHELF])
    cursor = None if page.rest is None else write_cursor(listed, page.rest)
    return json_reply([_entry(each) for each in page.revisions], headers=next_link(request, cursor))


async def diff_versions(request: web.Request) -> web.Response:
    """Answer the patch that takes one version to another."""
    media_type = choose(request, (JSON, JSON_PATCH))
    first, last = _number(request, "from", required=True), _number(request, "to", required=True)
    options = DiffOptions(max_depth=request.app[SETTINGS].max_depth)
    async with while_awaited(request):
        outcome = await histories.diff(
            writes.target_of(request), first, last, options, request.app[COMPARER], request.app[SHELF]
        )
    return json_reply(outcome.patch, content_type=media_type)


@idempotent
async def revert_resource(request: web.Request) -> web.Response:
    """Make a new version that equals an earlier one."""
    asked = await wire.read(request, RevertRequest)
    mode = writes.mode_of(request)
    return writes.reply(
        request, await histories.revert(writes.target_of(request), asked.version, mode, request.app[SHELF])
    )


def read_place(request: web.Request) -> int | datetime | None:
    """Read `version` or `at`; raise `InvalidRequestError` for both at once, or for what is none of them."""
    if not request.query_string:
        return None
    version = _number(request, "version") if "version" in request.query else None
    text = only(request, "at")
    if text is None:
        return version
    if version is not None:
        raise InvalidRequestError("Ask for a version or a time, not both.", field="at")
    try:
        return parse_timestamp(text.replace(" ", "+"))  # a plus sign that was not percent-encoded
    except ValueError as error:
        raise InvalidRequestError(
            "Query parameter 'at' takes an RFC 3339 time such as 2026-01-02T03:04:05Z.", field="at"
        ) from error


def _number(request: web.Request, name: str, *, required: bool = False) -> int:
    text = only(request, name) or ""
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and int(text) > 0):
        needed = "is needed and takes" if required and not text else "takes"
        raise InvalidRequestError(f"Query parameter '{name}' {needed} a version: 1, 2, 3 and so on.", field=name)
    return int(text)


def _entry(revision: Revision) -> HistoryEntry:
    return HistoryEntry(
        version=revision.version,
        kind=revision.kind,
        at=revision.at,
        by=revision.by,
        message=revision.why,
        patch=msgspec.Raw(revision.forward or b"[]"),
        inverse=msgspec.Raw(revision.inverse or b"[]"),
    )


_VERSION: dict[str, Any] = {"type": "integer", "minimum": 1}
PLACE_PARAMS = (
    Param(name="version", schema=_VERSION, description="as it stood at this version"),
    Param(name="at", schema={"type": "string", "format": "date-time"}, description="as it stood at this time"),
)
_READ_ERRORS = (InvalidRequestError, NotAcceptableError, NotFoundError, AmbiguousIdentifierError, StoreUnavailableError)
_ENTRY = {
    "version": 2,
    "kind": "patch",
    "at": "2026-01-02T03:04:06.000000Z",
    "by": "anonymous",
    "message": "new sign on the door",
    "patch": [{"op": "replace", "path": "/name", "value": "Hand clinic"}],
    "inverse": [{"op": "replace", "path": "/name", "value": "Foot clinic"}],
}

ROUTES = (
    Route(
        method="GET",
        path="/v1/{type}/{id}/history",
        handler=list_history,
        summary="What happened to a resource, newest first",
        tag="resources",
        params=(examples.TYPE, examples.ID, *PAGE_PARAMS),
        answers=(
            Answer(
                status=200,
                description="A page of the history",
                content=(Content(schema=list[HistoryEntry], examples={"renamed": [_ENTRY]}),),
                headers=(LINK_HEADER,),
            ),
        ),
        errors=_READ_ERRORS,
    ),
    Route(
        method="GET",
        path="/v1/{type}/{id}/diff",
        handler=diff_versions,
        summary="The patch between two versions",
        tag="resources",
        params=(
            examples.TYPE,
            examples.ID,
            Param(name="from", schema=_VERSION, required=True, description="the version the patch applies to"),
            Param(name="to", schema=_VERSION, required=True, description="the version it gives"),
        ),
        answers=(
            Answer(
                status=200,
                description="An RFC 6902 array; `updatedAt` is part of what it changes",
                content=(
                    Content(schema=examples.JSON_PATCH_SCHEMA),
                    Content(schema=examples.JSON_PATCH_SCHEMA, media_type=JSON_PATCH),
                ),
            ),
        ),
        errors=(*_READ_ERRORS, TooComplexError, OverloadedError),
    ),
    Route(
        method="POST",
        path="/v1/{type}/{id}/revert",
        handler=revert_resource,
        summary="Go back to an earlier version",
        tag="resources",
        access="writer",
        description="Makes a new version that equals the earlier one. A deleted resource comes back by it.",
        params=(examples.TYPE, examples.ID, examples.IF_MATCH, *examples.WRITE_PARAMS, KEY_PARAM),
        body=(Content(schema=RevertRequest, examples={"first": {"version": 1}}),),
        answers=(
            Answer(
                status=200,
                description="The resource as it is again",
                content=(Content(schema=examples.SCHEMA, examples={"clinic": examples.CLINIC}),),
                headers=(examples.ETAG_HEADER,),
            ),
            Answer(status=204, description="Done, as little said as preferred", headers=(examples.ETAG_HEADER,)),
        ),
        errors=(
            *_READ_ERRORS,
            *wire.BODY_ERRORS,
            DuplicateIdentifierError,
            VersionConflictError,
            PreconditionRequiredError,
            SchemaViolationError,
            OverloadedError,
            *KEY_ERRORS,
        ),
    ),
)
