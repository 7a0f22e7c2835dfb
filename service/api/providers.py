"""Providers, and what became of deliveries to them. Members of this family are snake_case."""

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from service import errors
from service.api import paging, replies, wire
from service.api.bodies import read_body
from service.api.flags import flag
from service.api.resource_examples import DRY_RUN
from service.api.route import Answer, Content, Param, Route
from service.delivery import Delivery, DeliveryState, Endpoint, Mode, ProviderName
from service.errors import InvalidRequestError
from service.keys import CLOCK, ENDPOINTS, OUTBOX, SENDER, SHELF, URL_POLICY
from service.model import Timestamp
from service.usecases import providing
from service.usecases.providing import ProviderWish

JSON = "application/json"
_STATES = ("waiting", "delivered", "dead", "superseded")


class PutProvider(msgspec.Struct, frozen=True, kw_only=True):
    """Where the provider listens. `secrets` are write-only; without them the present ones stay, or one is made."""

    url: Annotated[str, Meta(max_length=2048, examples=["https://provider.example/hooks"])]
    secrets: tuple[str, ...] | UnsetType = UNSET
    timeout_s: Annotated[float, Meta(ge=1, le=60, description="seconds for one request")] = 15.0
    deadline_s: Annotated[
        float, Meta(ge=1, le=30 * 86400, description="seconds until a confirmation must be there")
    ] = 86400.0
    mode: Mode = "structured"


class ProviderView(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as it is shown: of its secrets only how many are live. A secret that was made is shown once."""

    name: str
    url: str
    live_secrets: int
    timeout_s: float
    deadline_s: float
    mode: Mode
    updated_at: Timestamp
    disabled_at: Timestamp | None
    secret: str | UnsetType = UNSET


class PingResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a ping."""

    delivered: bool
    status: int | None
    error: str | None
    seconds: float


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


async def put_provider(request: web.Request) -> web.Response:
    """Make or change a provider; writing it enables it again."""
    wire.check_media_type(request, (JSON,))
    asked = wire.parse(await read_body(request), PutProvider, max_depth=2)
    wish = ProviderWish(
        url=asked.url,
        secrets=None if asked.secrets is UNSET else asked.secrets,
        timeout_s=asked.timeout_s,
        deadline_s=asked.deadline_s,
        mode=asked.mode,
    )
    endpoint, is_new = await providing.put(
        _name(request),
        wish,
        store=request.app[ENDPOINTS],
        policy=request.app[URL_POLICY],
        clock=request.app[CLOCK],
        dry_run=flag(request, "dryRun"),
    )
    shown = _view(endpoint, made=is_new and asked.secrets is UNSET)
    return replies.json_reply(shown, status=201 if is_new else 200, headers={"Location": f"/providers/{endpoint.name}"})


async def get_provider(request: web.Request) -> web.Response:
    """Answer a provider."""
    return replies.json_reply(_view(await providing.find(_name(request), request.app[ENDPOINTS])))


async def list_providers(request: web.Request) -> web.Response:
    """Answer the providers in the order of their names."""
    limit = paging.limit_of(request)
    found = await request.app[ENDPOINTS].list_after(paging.cursor_of(request, "providers", str) or "", limit + 1)
    cursor = paging.write_cursor("providers", found[limit - 1].name) if len(found) > limit else None
    return replies.json_reply([_view(each) for each in found[:limit]], headers=paging.next_link(request, cursor))


async def delete_provider(request: web.Request) -> web.Response:
    """Forget a provider."""
    await providing.delete(
        _name(request),
        store=request.app[ENDPOINTS],
        outbox=request.app[OUTBOX],
        catalog=request.app[SHELF].catalog,
        dry_run=flag(request, "dryRun"),
    )
    return web.Response(status=204)


async def ping_provider(request: web.Request) -> web.Response:
    """Send the provider a signed event of type `ping` now, once."""
    sent, seconds = await providing.ping(
        _name(request), store=request.app[ENDPOINTS], sender=request.app[SENDER], clock=request.app[CLOCK]
    )
    result = PingResult(delivered=sent.is_success, status=sent.status, error=sent.error, seconds=round(seconds, 3))
    return replies.json_reply(result)


async def list_deliveries(request: web.Request) -> web.Response:
    """Answer deliveries, newest first; `state=dead` lists the dead letters."""
    state = request.query.get("state")
    if state is not None and state not in _STATES:
        raise InvalidRequestError(f"'state' is {state!r}; it is one of {', '.join(_STATES)}.", field="state")
    limit = paging.limit_of(request)
    found = await providing.list_deliveries(
        request.query.get("provider"),
        state,  # type: ignore[arg-type]
        paging.cursor_of(request, "deliveries", tuple[str, str]),
        limit + 1,
        request.app[OUTBOX],
    )
    last = found[limit - 1] if len(found) > limit else None
    cursor = paging.write_cursor("deliveries", (last.created_at, last.notice.id)) if last else None
    return replies.json_reply([_delivery(each) for each in found[:limit]], headers=paging.next_link(request, cursor))


async def get_delivery(request: web.Request) -> web.Response:
    """Answer a delivery."""
    found = await providing.find_delivery(request.match_info["delivery_id"], request.app[OUTBOX])
    return replies.json_reply(_delivery(found))


async def replay_delivery(request: web.Request) -> web.Response:
    """Try a dead delivery anew."""
    found = await providing.replay(
        request.match_info["delivery_id"],
        outbox=request.app[OUTBOX],
        clock=request.app[CLOCK],
        dry_run=flag(request, "dryRun"),
    )
    return replies.json_reply(_delivery(found), status=202)


async def replay_deliveries(request: web.Request) -> web.Response:
    """Try all dead deliveries of a provider anew."""
    wire.check_media_type(request, (JSON,))
    asked = wire.parse(await read_body(request), ReplayRequest, max_depth=2)
    count = await providing.replay_all(
        asked.provider,
        store=request.app[ENDPOINTS],
        outbox=request.app[OUTBOX],
        clock=request.app[CLOCK],
        dry_run=flag(request, "dryRun"),
    )
    return replies.json_reply(Replayed(count), status=202)


def _name(request: web.Request) -> str:
    try:
        return msgspec.convert(request.match_info["name"], ProviderName)
    except msgspec.ValidationError as error:
        raise InvalidRequestError(
            "A provider's name starts with a letter or digit and goes on with letters, digits, '.', '_' or '-'.",
            field="name",
        ) from error


def _view(endpoint: Endpoint, *, made: bool = False) -> ProviderView:
    return ProviderView(
        name=endpoint.name,
        url=endpoint.url,
        live_secrets=len(endpoint.secrets),
        timeout_s=endpoint.timeout_s,
        deadline_s=endpoint.deadline_s,
        mode=endpoint.mode,
        updated_at=endpoint.updated_at,
        disabled_at=endpoint.disabled_at,
        secret=endpoint.secrets[0] if made else UNSET,
    )


def _delivery(delivery: Delivery) -> DeliveryView:
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


_NAME = Param(name="name", where="path", description="name of the provider", example="erp")
_DELIVERY_ID = Param(name="delivery_id", where="path", description="id of the event that is delivered")
_BODY_ERRORS = (
    errors.MalformedJsonError,
    errors.InvalidRequestError,
    errors.UnsupportedMediaTypeError,
    errors.RequestTimeoutError,
    errors.TooLargeError,
    errors.TooDeepError,
)
_EXAMPLE = {"erp": {"url": "https://provider.example/hooks", "deadline_s": 3600}}
_STORE = errors.StoreUnavailableError

ROUTES = (
    Route(
        method="PUT",
        path="/providers/{name}",
        handler=put_provider,
        summary="Make or change a provider",
        tag="providers",
        access="admin",
        params=(_NAME, DRY_RUN),
        body=(Content(schema=PutProvider, examples=_EXAMPLE),),
        answers=(
            Answer(status=200, description="The provider as it is now", content=(Content(schema=ProviderView),)),
            Answer(status=201, description="It is new", content=(Content(schema=ProviderView),)),
        ),
        errors=(*_BODY_ERRORS, errors.SourceForbiddenError, _STORE),
    ),
    Route(
        method="GET",
        path="/providers",
        handler=list_providers,
        summary="List providers",
        tag="providers",
        access="admin",
        params=paging.PAGE_PARAMS,
        answers=(
            Answer(
                status=200,
                description="Providers, by name",
                content=(Content(schema=list[ProviderView]),),
                headers=(paging.LINK_HEADER,),
            ),
        ),
        errors=(errors.InvalidRequestError, _STORE),
    ),
    Route(
        method="GET",
        path="/providers/{name}",
        handler=get_provider,
        summary="Read a provider",
        tag="providers",
        access="admin",
        params=(_NAME,),
        answers=(Answer(status=200, description="The provider", content=(Content(schema=ProviderView),)),),
        errors=(errors.InvalidRequestError, errors.NotFoundError, _STORE),
    ),
    Route(
        method="DELETE",
        path="/providers/{name}",
        handler=delete_provider,
        summary="Forget a provider",
        tag="providers",
        access="admin",
        params=(_NAME, DRY_RUN),
        answers=(Answer(status=204, description="It is forgotten"),),
        errors=(errors.InvalidRequestError, errors.NotFoundError, errors.ReferencedError, _STORE),
    ),
    Route(
        method="POST",
        path="/providers/{name}/ping",
        handler=ping_provider,
        summary="Ask a provider whether it answers",
        tag="providers",
        access="admin",
        params=(_NAME,),
        answers=(Answer(status=200, description="What came of it", content=(Content(schema=PingResult),)),),
        errors=(errors.InvalidRequestError, errors.NotFoundError, _STORE),
    ),
    Route(
        method="GET",
        path="/deliveries",
        handler=list_deliveries,
        summary="List deliveries; the dead letters with `state=dead`",
        tag="providers",
        access="admin",
        params=(
            Param(name="state", schema={"type": "string", "enum": list(_STATES)}, description="in this state only"),
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
        params=(_DELIVERY_ID, DRY_RUN),
        answers=(Answer(status=202, description="It waits to be sent", content=(Content(schema=DeliveryView),)),),
        errors=(errors.NotFoundError, errors.InvalidTransitionError, _STORE),
    ),
    Route(
        method="POST",
        path="/deliveries/replay",
        handler=replay_deliveries,
        summary="Try all dead deliveries of a provider anew",
        tag="providers",
        access="admin",
        params=(DRY_RUN,),
        body=(Content(schema=ReplayRequest, examples={"erp": {"provider": "erp"}}),),
        answers=(Answer(status=202, description="How many wait to be sent", content=(Content(schema=Replayed),)),),
        errors=(*_BODY_ERRORS, errors.NotFoundError, _STORE),
    ),
)
