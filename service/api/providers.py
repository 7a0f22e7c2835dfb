"""`/providers`: who carries patches out. Members of this family are snake_case."""

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from service import errors
from service.api import paging, replies, wire
from service.api.examples import LOCATION_HEADER
from service.api.flags import flag
from service.api.resource_examples import DRY_RUN
from service.api.route import Answer, Content, Param, Route
from service.delivery import Endpoint, Mode, ProviderName
from service.errors import InvalidRequestError
from service.keys import CLOCK, ENDPOINTS, OUTBOX, SENDER, SHELF, URL_POLICY
from service.model import Timestamp
from service.usecases import providing
from service.usecases.providing import ProviderWish

Secrets = Annotated[
    tuple[str, ...],
    Meta(
        description="one, or two while one replaces the other: `whsec_` and 24 to 64 random bytes in base64",
        extra_json_schema={"minItems": 1, "maxItems": 2},
    ),
]


class PutProvider(msgspec.Struct, frozen=True, kw_only=True):
    """Where the provider listens. `secrets` are write-only; without them the present ones stay, or one is made."""

    url: Annotated[str, Meta(max_length=2048, examples=["https://provider.example/hooks"])]
    secrets: Secrets | UnsetType = UNSET
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


async def put_provider(request: web.Request) -> web.Response:
    """Make or change a provider; writing it enables it again."""
    asked = await wire.read(request, PutProvider)
    wish = ProviderWish(
        url=asked.url,
        secrets=None if asked.secrets is UNSET else asked.secrets,
        timeout_s=asked.timeout_s,
        deadline_s=asked.deadline_s,
        mode=asked.mode,
    )
    is_dry = flag(request, "dryRun")
    endpoint, is_new = await providing.put(
        _name(request),
        wish,
        store=request.app[ENDPOINTS],
        policy=request.app[URL_POLICY],
        clock=request.app[CLOCK],
        dry_run=is_dry,
    )
    shown = _view(endpoint, made=is_new and asked.secrets is UNSET and not is_dry)
    headers = {"Location": f"/providers/{endpoint.name}"} if is_new and not is_dry else {}
    return replies.json_reply(shown, status=201 if is_new else 200, headers=headers)


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


_NAME = Param(name="name", where="path", description="name of the provider", example="erp")
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
            Answer(
                status=201, description="It is new", content=(Content(schema=ProviderView),), headers=(LOCATION_HEADER,)
            ),
        ),
        errors=(*wire.BODY_ERRORS, errors.SourceForbiddenError, _STORE),
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
)
