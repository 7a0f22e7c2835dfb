"""What stands around every handler: the request id and the log line, errors made into problems, the caller.

One middleware does it all: each layer of coroutines would cost every request as much as the work in it.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable
from contextlib import AbstractContextManager

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from service import logs
from service.api import problems
from service.api.flags import runs_dry
from service.api.guarding import admit
from service.api.hanging_up import has_hung_up
from service.api.replies import harden
from service.errors import ServiceError
from service.keys import ASKS_FIRST, BEGUN, IS_PATIENT, METRICS, REQUEST_ID, SETTINGS, SHARE, TELEMETRY, TRAFFIC

_LOG = logging.getLogger("patchbay.request")
CLIENT_GONE = 499
"""What the log says, and nobody receives, when the client goes away before its request is complete."""
_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@web.middleware
async def surround(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request its id, keep its trace context, answer it, write one log line when that is done."""
    start = time.perf_counter()
    app, task = request.app, asyncio.current_task()
    if task is None:
        raise RuntimeError("aiohttp runs every handler in a task")
    traffic = app[TRAFFIC]
    given = request.headers.get("X-Request-Id")
    request_id = given if given is not None and _SANE_ID.fullmatch(given) else traffic.make_id()
    request[REQUEST_ID], request[SHARE] = request_id, None
    logs.REQUEST_ID.set(request_id)
    route = request.match_info.route.name or "unmatched"
    traffic.enter(task)
    try:
        response = await _trace(request, handler, app, route)
    finally:
        traffic.leave(task)
        if (share := request[SHARE]) is not None:
            share.close()
    if traffic.is_stopping or ASKS_FIRST in request:  # who asks, and is not told to go on, may send the body or not
        response.force_close()
    _tell(request, app, route, response.status, time.perf_counter() - start)
    return response


def _trace(request: web.Request, handler: Handler, app: web.Application, route: str) -> Awaitable[web.StreamResponse]:
    """Keep the caller's trace context for what is called on its behalf; make a span where telemetry is on."""
    given = request.headers.get("traceparent")
    trace = given if given is not None and _TRACEPARENT.fullmatch(given) else None
    telemetry = app[TELEMETRY]
    if telemetry is not None:
        return _answer_in_span(request, handler, app, telemetry.request(route, trace))
    logs.TRACEPARENT.set(trace)
    return _answer(request, handler, app)


async def _answer_in_span(
    request: web.Request, handler: Handler, app: web.Application, span: AbstractContextManager[str]
) -> web.StreamResponse:
    with span as passed_on:
        logs.TRACEPARENT.set(passed_on)
        return await _answer(request, handler, app)


async def _answer(request: web.Request, handler: Handler, app: web.Application) -> web.StreamResponse:
    """Let the request through to its handler; answer every error as a problem document.

    What nobody foresaw is logged with its traceback.
    """
    try:
        await admit(request, app)
        response = await handler(request)
        if request.query_string and response.status < 400 and runs_dry(request, app):
            response.headers["Patchbay-Dry-Run"] = "true"
        return response  # noqa: TRY300 - what it raises is answered below, too
    except ServiceError as error:
        return _broken_off(request) or problems.answer(error, request, request[REQUEST_ID])
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return problems.answer_framework(error, request, request[REQUEST_ID])
    except Exception as error:  # noqa: BLE001 - the last resort: logged with its traceback, answered with a bare 500
        if isinstance(error, ConnectionError) and has_hung_up(request):
            return web.Response(status=CLIENT_GONE)
        _LOG.exception("unexpected failure of %s %s", request.method, request.path)
        return _broken_off(request) or problems.answer_unexpected(request, request[REQUEST_ID])


def _broken_off(request: web.Request) -> web.StreamResponse | None:
    """Give up a response that has begun, if any: a problem would stand amid it, and its end say that it is whole."""
    begun = request.get(BEGUN)
    if begun is not None and request.transport is not None:
        request.transport.abort()
    return begun


def _tell(request: web.Request, app: web.Application, route: str, status: int, seconds: float) -> None:
    """Count the request and write its log line; a slow one is a warning."""
    method = request.method
    app[METRICS].note_request(method if route != "unmatched" else "", route, status, seconds)
    slow = seconds > app[SETTINGS].slow_request_s and IS_PATIENT not in request
    level = logging.WARNING if slow else logging.INFO
    if not _LOG.isEnabledFor(level):
        return
    path = request.path
    facts = {"method": method, "path": path, "status": status, "ms": round(seconds * 1000, 1)}
    _LOG.log(level, "%s%s %s %d", "slow: " if slow else "", method, path, status, extra=facts)


async def harden_others(request: web.Request, response: web.StreamResponse) -> None:
    """Harden what goes aiohttp's own way: pages, streams, answers without a body."""
    harden(request, response)
    if not isinstance(response, web.Response):
        request[BEGUN] = response


MIDDLEWARES: tuple[Middleware, ...] = (surround,)
