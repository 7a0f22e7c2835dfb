"""`/resources/{resource_id}/patches/{patch_id}/rollouts`: a patch applied to every resource that it fits."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

import msgspec
from aiohttp import web

from service import errors
from service.api import patch_examples as examples
from service.api import replies, wire, writes
from service.api.examples import LOCATION_HEADER
from service.api.flags import flag
from service.api.guarding import identify
from service.api.hanging_up import has_hung_up
from service.api.idempotency import KEY_ERRORS, KEY_PARAM, idempotent
from service.api.paging import LINK_HEADER, PAGE_PARAMS, cursor_of, limit_of, next_link, write_cursor
from service.api.patches import check_size, find_patch
from service.api.replies import JSON
from service.api.resource_examples import DRY_RUN
from service.api.route import Answer, Content, Param, Route
from service.core.timestamp import parse_timestamp
from service.keys import CALLER, CLOCK, FEED_WATCH, IS_PATIENT, ROLLING, WRITE_ID
from service.model import Timestamp
from service.rollouts import Order, Rollout, RolloutState, Wish
from service.usecases import rolling

STREAM = "text/event-stream"
_TICK_S = 0.5


class RolloutView(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rollout has come. `rate` is targets per second; `seconds_left` is null until it can be told."""

    id: str
    resource_id: str
    patch_id: str
    type: str | None
    state: RolloutState
    dry_run: bool
    total: int | None
    done: int
    failed: int
    skipped: int
    rate: float
    seconds_left: float | None
    created_by: str
    created_at: Timestamp
    updated_at: Timestamp
    finished_at: Timestamp | None
    error: str | None


@idempotent
async def start_rollout(request: web.Request) -> web.Response:
    """Start applying the patch to everything that it fits."""
    order = await wire.read(request, Order, absent=Order())
    check_size({"filter": order.filter})
    patch = await find_patch(request)
    is_dry = flag(request, "dryRun")
    identity, caller = writes.new_id(request), request[CALLER]
    rollout = await rolling.start(patch, order, caller, request.app[ROLLING], rollout_id=identity, dry_run=is_dry)
    headers = {} if is_dry else {"Location": f"{request.rel_url.raw_path}/{rollout.id}"}
    return replies.json_reply(_view(rollout, request.app[CLOCK].now()), status=202, headers=headers)


async def list_rollouts(request: web.Request) -> web.Response:
    """Answer the rollouts of a patch, newest first."""
    patch, limit = await find_patch(request), limit_of(request)
    kind = f"rollouts {patch.resource_id} {patch.patch_id}"
    after = cursor_of(request, kind, tuple[str, str])
    found = await rolling.list_newest(patch, after, limit + 1, request[CALLER], request.app[ROLLING])
    page, now = found[:limit], request.app[CLOCK].now()
    cursor = write_cursor(kind, (page[-1].created_at, page[-1].id)) if len(found) > limit else None
    return replies.json_reply([_view(each, now) for each in page], headers=next_link(request, cursor))


async def get_rollout(request: web.Request) -> web.StreamResponse:
    """Answer how far a rollout has come; as a stream when `Accept` asks for one."""
    media_type = replies.choose(request, (JSON, STREAM))
    rollout = await _find(request)
    if media_type == JSON:
        return replies.json_reply(_view(rollout, request.app[CLOCK].now()))
    request[IS_PATIENT] = True
    response = web.StreamResponse(headers={"Content-Type": STREAM, "Cache-Control": "no-store"})
    await response.prepare(request)
    async for seen in _follow(request, rollout):
        view = replies.encode(_view(seen, request.app[CLOCK].now()))
        await response.write(b"event: progress\ndata: " + view + b"\n\n")
    return response


@idempotent
async def pause_rollout(request: web.Request) -> web.Response:
    """Stop after the batch at hand."""
    return await _steer(request, "pause")


@idempotent
async def resume_rollout(request: web.Request) -> web.Response:
    """Go on with a rollout that was paused or has halted."""
    return await _steer(request, "resume")


@idempotent
async def cancel_rollout(request: web.Request) -> web.Response:
    """Stop for good after the batch at hand; what was applied stays."""
    return await _steer(request, "cancel")


async def _follow(request: web.Request, rollout: Rollout) -> AsyncIterator[Rollout]:
    """Yield the rollout whenever it has come further, until it is over, the reader leaves or the service stops."""
    yield rollout
    while rollout.is_live and not (request.app[FEED_WATCH].is_closing or has_hung_up(request)):
        await asyncio.sleep(_TICK_S)
        await identify(request, request.app)
        seen = await _find(request)
        if seen != rollout:
            yield seen
        rollout = seen


async def _find(request: web.Request) -> Rollout:
    patch = await find_patch(request)
    return await rolling.find(patch, request.match_info["rollout_id"], request[CALLER], request.app[ROLLING])


async def _steer(request: web.Request, wish: Wish) -> web.Response:
    patch = await find_patch(request)
    is_dry = flag(request, "dryRun")
    rollout_id, caller = request.match_info["rollout_id"], request[CALLER]
    rollout = await rolling.steer(
        patch, rollout_id, wish, caller, request.app[ROLLING], write_id=request.get(WRITE_ID), dry_run=is_dry
    )
    return replies.json_reply(_view(rollout, request.app[CLOCK].now()))


def _view(rollout: Rollout, now: datetime) -> RolloutView:
    dealt_with = rollout.done + rollout.failed + rollout.skipped
    until = parse_timestamp(rollout.updated_at) if rollout.state != "running" else now
    seconds = max(0.001, (until - parse_timestamp(rollout.created_at)).total_seconds())
    rate = dealt_with / seconds
    left = None if rollout.total is None or not rate else max(0, rollout.total - dealt_with) / rate
    return RolloutView(
        id=rollout.id,
        resource_id=rollout.resource_id,
        patch_id=rollout.patch_id,
        type=rollout.order.type,
        state=rollout.state,
        dry_run=rollout.order.dry_run,
        total=rollout.total,
        done=rollout.done,
        failed=rollout.failed,
        skipped=rollout.skipped,
        rate=round(rate, 1),
        seconds_left=round(left, 1) if left is not None and rollout.state == "running" else None,
        created_by=rollout.caller.name,
        created_at=rollout.created_at,
        updated_at=rollout.updated_at,
        finished_at=rollout.finished_at,
        error=rollout.error,
    )


_PATH = "/resources/{resource_id}/patches/{patch_id}/rollouts"
_ROLLOUT_ID = Param(name="rollout_id", where="path", description="`id` of the rollout")
_PARAMS = (examples.RESOURCE_ID, examples.PATCH_ID)
_VIEW = Content(schema=RolloutView)
_ORDERS = {
    "all": {},
    "narrowed": {
        "type": "clinic",
        "filter": [{"field": "country", "operator": "==", "value": "CA"}],
        "batch_size": 100,
        "max_failures": 3,
    },
}


def _steering(wish: Wish, handler: object, summary: str) -> Route:
    return Route(
        method="POST",
        path=f"{_PATH}/{{rollout_id}}/{wish}",
        handler=handler,  # type: ignore[arg-type]
        summary=summary,
        tag="patches",
        access="writer",
        params=(*_PARAMS, _ROLLOUT_ID, DRY_RUN, KEY_PARAM),
        answers=(Answer(status=200, description="The rollout as it stands", content=(_VIEW,)),),
        errors=(*examples.READ_ERRORS, errors.InvalidTransitionError, *KEY_ERRORS),
    )


ROUTES = (
    Route(
        method="POST",
        path=_PATH,
        handler=start_rollout,
        summary="Apply a patch to every resource that it fits",
        tag="patches",
        access="writer",
        description=(
            "Goes on in the background, batch by batch, by whichever instance is up; after a crash another goes on, "
            "and nothing is applied twice. It halts when more than `max_failures` applications have failed."
        ),
        params=(*_PARAMS, DRY_RUN, KEY_PARAM),
        body=(Content(schema=Order, examples=_ORDERS),),
        body_required=False,
        answers=(Answer(status=202, description="It has begun", content=(_VIEW,), headers=(LOCATION_HEADER,)),),
        errors=(
            *examples.READ_ERRORS,
            *wire.BODY_ERRORS,
            *KEY_ERRORS,
        ),
    ),
    Route(
        method="GET",
        path=_PATH,
        handler=list_rollouts,
        summary="List the rollouts of a patch",
        tag="patches",
        params=(*_PARAMS, *PAGE_PARAMS),
        answers=(
            Answer(
                status=200,
                description="Rollouts, newest first",
                content=(Content(schema=list[RolloutView]),),
                headers=(LINK_HEADER,),
            ),
        ),
        errors=examples.READ_ERRORS,
    ),
    Route(
        method="GET",
        path=f"{_PATH}/{{rollout_id}}",
        handler=get_rollout,
        summary="See how far a rollout has come",
        tag="patches",
        description="With `Accept: text/event-stream`, an event `progress` each time it has come further, to its end.",
        params=(*_PARAMS, _ROLLOUT_ID),
        answers=(
            Answer(
                status=200,
                description="The rollout",
                content=(_VIEW, Content(schema={"type": "string"}, media_type=STREAM)),
            ),
        ),
        errors=(*examples.READ_ERRORS, errors.NotAcceptableError),
    ),
    _steering("pause", pause_rollout, "Pause a rollout after the batch at hand"),
    _steering("resume", resume_rollout, "Go on with a rollout that was paused or has halted"),
    _steering("cancel", cancel_rollout, "Cancel a rollout after the batch at hand"),
)
