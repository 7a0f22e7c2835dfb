"""`/deliveries`: what became of events for providers, and the dead ones tried anew. Members are snake_case."""

from typing import get_args

import msgspec
from aiohttp import web

from service import errors
from service.api import paging, replies, wire
from service.api.flags import flag
from service.api.idempotency import KEY_ERRORS, KEY_PARAM, idempotent
from service.api.query import only
from service.api.resource_examples import DRY_RUN
from service.api.route import Answer, Content, Param, Route
from service.delivery import Delivery, DeliveryState, ProviderName
from service.errors import InvalidRequestError
from service.keys import CLOCK, ENDPOINTS, OUTBOX
from service.model import Timestamp
from service.usecases import delivering

STATES: tuple[str, ...] = get_args(DeliveryState)


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as it is shown, without the event's data."""

    id: str
    provider: str
    type: str
    application_id: str
    resource_id: str
    attempt: int
    state: DeliveryState
    tries: int
    due_at: Timestamp
    created_at: Timestamp
    ended_at: Timestamp | None
    status: int | None
    error: str | None


class ReplayRequest(msgspec.Struct, frozen=True):
    """Which dead deliveries to try anew."""

    provider: ProviderName


class Replayed(msgspec.Struct, frozen=True):
    """How many deliveries are tried anew."""

    replayed: int


async def list_deliveries(request: web.Request) -> web.Response:
    """Answer deliveries, newest first; `state=dead` lists the dead letters."""
    state = only(request, "state")
    if state is not None and state not in STATES:
        raise InvalidRequestError(f"'state' is {state!r}; it is one of {', '.join(STATES)}.", field="state")
    limit = paging.limit_of(request)
    found = await delivering.list_newest(
        only(request, "provider"),
        state,  # type: ignore[arg-type]
        paging.cursor_of(request, "deliveries", tuple[str, str]),
        limit + 1,
        request.app[OUTBOX],
    )
    last = found[limit - 1] if len(found) > limit else None
    cursor = paging.write_cursor("deliveries", (last.created_at, last.notice.id)) if last else None
    return replies.json_reply([_view(each) for each in found[:limit]], headers=paging.next_link(request, cursor))


async def get_delivery(request: web.Request) -> web.Response:
    """Answer a delivery."""
    found = await delivering.find(request.match_info["delivery_id"], request.app[OUTBOX])
    return replies.json_reply(_view(found))


@idempotent
async def replay_delivery(request: web.Request) -> web.Response:
    """Try a dead delivery anew."""
    found = await delivering.replay(
        request.match_info["delivery_id"],
        outbox=request.app[OUTBOX],
        clock=request.app[CLOCK],
        dry_run=flag(request, "dryRun"),
    )
    return replies.json_reply(_view(found), status=202)


@idempotent
async def replay_deliveries(request: web.Request) -> web.Response:
    """Try all dead deliveries of a provider anew."""
    asked = await wire.read(request, ReplayRequest)
    count = await delivering.replay_all(
        asked.provider,
        store=request.app[ENDPOINTS],
        outbox=request.app[OUTBOX],
        clock=request.app[CLOCK],
        dry_run=flag(request, "dryRun"),
    )
    return replies.json_reply(Replayed(count), status=202)


def _view(delivery: Delivery) -> DeliveryView:
    return DeliveryView(
        id=delivery.notice.id,
        provider=delivery.provider,
        type=delivery.notice.type,
        application_id=delivery.application_id,
        resource_id=delivery.resource_id,
        attempt=delivery.attempt,
        state=delivery.state,
        tries=delivery.tries,
        due_at=delivery.due_at,
        created_at=delivery.created_at,
        ended_at=delivery.ended_at,
        status=delivery.status,
        error=delivery.error,
    )


_DELIVERY_ID = Param(name="delivery_id", where="path", description="id of the event that is delivered")
_STORE = errors.StoreUnavailableError

ROUTES = (
    Route(
        method="GET",
        path="/deliveries",
        handler=list_deliveries,
        summary="List deliveries; the dead letters with `state=dead`",
        tag="providers",
        access="admin",
        params=(
            Param(name="state", schema={"type": "string", "enum": list(STATES)}, description="in this state only"),
            Param(name="provider", description="to this provider only"),
            *paging.PAGE_PARAMS,
        ),
        answers=(
            Answer(
                status=200,
                description="Deliveries, newest first",
                content=(Content(schema=list[DeliveryView]),),
                headers=(paging.LINK_HEADER,),
            ),
        ),
        errors=(errors.InvalidRequestError, _STORE),
    ),
    Route(
        method="GET",
        path="/deliveries/{delivery_id}",
        handler=get_delivery,
        summary="Read a delivery",
        tag="providers",
        access="admin",
        params=(_DELIVERY_ID,),
        answers=(Answer(status=200, description="The delivery", content=(Content(schema=DeliveryView),)),),
        errors=(errors.NotFoundError, _STORE),
    ),
    Route(
        method="POST",
        path="/deliveries/{delivery_id}/replay",
        handler=replay_delivery,
        summary="Try a dead delivery anew",
        tag="providers",
        access="admin",
        params=(_DELIVERY_ID, DRY_RUN, KEY_PARAM),
        answers=(Answer(status=202, description="It waits to be sent", content=(Content(schema=DeliveryView),)),),
        errors=(errors.NotFoundError, errors.InvalidTransitionError, *KEY_ERRORS, _STORE),
    ),
    Route(
        method="POST",
        path="/deliveries/replay",
        handler=replay_deliveries,
        summary="Try all dead deliveries of a provider anew",
        tag="providers",
        access="admin",
        params=(DRY_RUN, KEY_PARAM),
        body=(Content(schema=ReplayRequest, examples={"erp": {"provider": "erp"}}),),
        answers=(Answer(status=202, description="How many wait to be sent", content=(Content(schema=Replayed),)),),
        errors=(*wire.BODY_ERRORS, errors.NotFoundError, *KEY_ERRORS, _STORE),
    ),
)
