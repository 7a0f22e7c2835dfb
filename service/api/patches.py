"""`/resources/{resource_id}/patches`: patches recorded, read and listed."""

from collections.abc import Collection, Mapping
from typing import Any, get_args
from urllib.parse import quote

import msgspec
from aiohttp import web

from service.api import patch_examples as examples
from service.api import replies, wire
from service.api.bodies import share_of
from service.api.examples import LOCATION_HEADER
from service.api.flags import flag
from service.api.idempotency import KEY_PARAM, idempotent
from service.api.paging import LINK_HEADER, PAGE_PARAMS, cursor_of, limit_of, next_link, write_cursor
from service.api.query import only
from service.api.replies import json_reply
from service.api.resource_examples import DRY_RUN
from service.api.route import Answer, Content, Param, Route
from service.core.constraints import MAX_BYTES, MAX_CONSTRAINTS, Constraint
from service.core.lifecycle import Status
from service.errors import InvalidRequestError, TooLargeError
from service.keys import CALLER, DESK, SETTINGS
from service.model import Reading, Timestamp
from service.patches import Definition, Patch
from service.usecases import patching, recording
from service.usecases.patching import Recorded

STATUSES: tuple[str, ...] = get_args(Status)


class RecordRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A patch to record. Both lists of constraints must hold on a target."""

    definition: Definition
    constraints: tuple[Constraint, ...] = ()


class PatchRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded patch; `status` and `error` are those of its latest application."""

    patch_id: str
    resource_id: str
    definition: Definition
    created_by: str
    constraints: tuple[Constraint, ...]
    status: Status
    created_at: Timestamp
    error: str | None


@idempotent
async def record_patch(request: web.Request) -> web.Response:
    """Keep a patch: 201 for a new one, 200 for one that is recorded with the same content."""
    asked = await wire.read(request, RecordRequest)
    check_size({"definition/constraints": asked.definition.constraints, "constraints": asked.constraints})
    settings, is_dry = request.app[SETTINGS], flag(request, "dryRun")
    made = await recording.record(
        request.match_info["resource_id"],
        asked.definition,
        asked.constraints,
        Reading(settings.max_input_bytes, settings.url_timeout_s, request[CALLER], hold=share_of(request).take),
        request.app[DESK],
        dry_run=is_dry,
    )
    return answer_record(made, is_dry=is_dry)


async def list_patches(request: web.Request) -> web.Response:
    """Answer the patches of a resource, newest first."""
    resource_id, desk = request.match_info["resource_id"], request.app[DESK]
    status: Any = only(request, "status")
    if status is not None and status not in STATUSES:
        raise InvalidRequestError(f"There is no status {status!r}; there are: {', '.join(STATUSES)}.", field="status")
    kind = f"patches {resource_id} {status}"
    after = cursor_of(request, kind, tuple[str, str])
    await patching.find_resource(resource_id, request[CALLER], desk, even_deleted=True)
    found, rest = await patching.list_newest(resource_id, status, after, limit_of(request), request[CALLER], desk)
    cursor = None if rest is None else write_cursor(kind, rest)
    return json_reply([to_wire(each) for each in found], headers=next_link(request, cursor))


async def get_patch(request: web.Request) -> web.Response:
    """Answer a patch."""
    return json_reply(to_wire(await patching.describe(await find_patch(request), request[CALLER], request.app[DESK])))


async def find_patch(request: web.Request) -> Patch:
    """Find the patch that the URL names."""
    names = request.match_info
    return await patching.find(names["resource_id"], names["patch_id"], request[CALLER], request.app[DESK])


def check_size(lists: Mapping[str, Collection[Constraint]]) -> None:
    """Refuse more constraints than are judged in a moment; `lists` are those that hold together, by member."""
    for name, constraints in lists.items():
        if len(constraints) > MAX_CONSTRAINTS:
            raise TooLargeError(
                f"'{name}' holds {len(constraints)} constraints; at most {MAX_CONSTRAINTS} are taken.",
                field=name,
                limit="constraints",
                maximum=MAX_CONSTRAINTS,
            )
    if sum(len(replies.encode(each.value)) for constraints in lists.values() for each in constraints) > MAX_BYTES:
        raise TooLargeError(
            f"The values of the constraints are longer than {MAX_BYTES} bytes together.",
            field=[*lists][-1],
            limit="constraint_bytes",
            maximum=MAX_BYTES,
        )


def to_wire(found: Recorded) -> PatchRecord:
    """Say of a patch what the contract says."""
    patch = found.patch
    return PatchRecord(
        patch_id=patch.patch_id,
        resource_id=patch.resource_id,
        definition=patch.definition,
        created_by=patch.created_by,
        constraints=patch.constraints,
        status=found.standing.status,
        created_at=patch.created_at,
        error=found.standing.error,
    )


def answer_record(made: Recorded, *, is_dry: bool) -> web.Response:
    """Answer a record that was made, would be, or was there."""
    headers = {} if is_dry else {"Location": _location(made.patch)}
    return json_reply(to_wire(made), status=201 if made.is_new else 200, headers=headers)


def _location(patch: Patch) -> str:
    return f"/resources/{quote(patch.resource_id, safe='')}/patches/{quote(patch.patch_id, safe='')}"


_PATH = "/resources/{resource_id}/patches"
_RECORD = Content(schema=PatchRecord, examples={"pending": examples.RECORD})

ROUTES = (
    Route(
        method="POST",
        path=_PATH,
        handler=record_patch,
        summary="Record a patch against a resource",
        tag="patches",
        access="writer",
        description=(
            "Recording changes nothing on the resource. The payload is any object; the built-in provider carries out "
            "`operations` (RFC 6902) and `merge` (RFC 7396), and `from_diff` becomes the operations between two "
            "documents. The same content again answers the record that there is."
        ),
        params=(examples.RESOURCE_ID, DRY_RUN, KEY_PARAM),
        body=(Content(schema=RecordRequest, examples=examples.REQUESTS),),
        answers=(
            Answer(status=201, description="The new record", content=(_RECORD,), headers=(LOCATION_HEADER,)),
            Answer(status=200, description="It was recorded before", content=(_RECORD,), headers=(LOCATION_HEADER,)),
        ),
        errors=examples.RECORD_ERRORS,
    ),
    Route(
        method="GET",
        path=_PATH,
        handler=list_patches,
        summary="List the patches of a resource, newest first",
        tag="patches",
        params=(
            examples.RESOURCE_ID,
            Param(name="status", schema={"type": "string", "enum": list(STATUSES)}, description="only those"),
            *PAGE_PARAMS,
        ),
        answers=(
            Answer(
                status=200,
                description="The patches",
                content=(Content(schema=list[PatchRecord], examples={"one": [examples.RECORD]}),),
                headers=(LINK_HEADER,),
            ),
        ),
        errors=examples.READ_ERRORS,
    ),
    Route(
        method="GET",
        path=f"{_PATH}/{{patch_id}}",
        handler=get_patch,
        summary="Read a patch",
        tag="patches",
        params=(examples.RESOURCE_ID, examples.PATCH_ID),
        answers=(Answer(status=200, description="The record", content=(_RECORD,)),),
        errors=examples.READ_ERRORS,
    ),
)
