"""Who may call what: credentials to a caller, the route's role and type to a verdict, the rate."""

import time

from aiohttp import web

from service.api.query import check_names
from service.api.replies import choose
from service.api.route import Route
from service.errors import ForbiddenError, RateLimitedError, UnauthenticatedError
from service.keys import AUTHENTICATOR, CALLER, RATES
from service.model import ANONYMOUS, Caller, Role
from service.ports import Rates
from service.usecases.permission import check_type

NOBODY = Caller("anonymous", frozenset())
"""The caller of routes that need none."""

_IMPLIED: dict[Role, frozenset[Role]] = {
    "reader": frozenset({"reader", "writer", "admin"}),
    "writer": frozenset({"writer", "admin"}),
    "provider": frozenset({"provider", "admin"}),
    "admin": frozenset({"admin"}),
}
"""Which roles may do what a route asks: a writer may read, an admin may do all."""


async def admit(request: web.Request, route: Route | None, app: web.Application) -> None:
    """Let the request through to its handler, or refuse it; `request[CALLER]` says who sent it.

    Routes that anybody may call let everybody through. Raises `UnauthenticatedError`, `ForbiddenError`,
    `RateLimitedError`, `InvalidRequestError` for parameters that the route has not and, before anything is done for an
    answer that the client cannot take, `NotAcceptableError`.
    """
    if route is None or route.access is None:
        request[CALLER] = NOBODY
        return
    request[CALLER] = caller = await identify(request, app)
    rates = app[RATES]
    if rates.rate > 0:
        _count(rates, request.remote or "" if app[AUTHENTICATOR] is None else caller.name)
    _check_role(caller, route.access)
    check_type(caller, request.match_info.get("type"))
    if request.query_string and not route.takes_any_query:
        check_names(request, route.query_names)
    if len(route.offers) == 1:  # where there are more, the handler chooses
        choose(request, route.offers)


async def identify(request: web.Request, app: web.Application) -> Caller:
    """Tell who sends the request; asked again before an answer that comes late, whether the credentials hold still.

    Raises `UnauthenticatedError`.
    """
    authenticator = app[AUTHENTICATOR]
    return ANONYMOUS if authenticator is None else await authenticator.authenticate(_credential(request))


def _count(rates: Rates, who: str) -> None:
    wait = rates.take(who, time.monotonic())
    if wait:
        raise RateLimitedError(f"More than {rates.rate:g} requests per second.", retry_after_s=wait)


def _credential(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    credential = token.strip() if scheme.lower() == "bearer" else ""
    credential = credential or request.headers.get("X-API-Key", "").strip()
    if not credential:
        raise UnauthenticatedError("Send Authorization: Bearer <key or token>, or X-API-Key: <key>.")
    if not credential.isascii():
        raise UnauthenticatedError("The key or token has characters that none has; send it as it was given to you.")
    return credential


def _check_role(caller: Caller, access: Role) -> None:
    if caller.roles.isdisjoint(_IMPLIED[access]):
        raise ForbiddenError(
            f"This needs the role {access}; the caller has: {', '.join(sorted(caller.roles)) or 'none'}."
        )
