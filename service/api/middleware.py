"""What stands around every handler: the request id and the log line, errors made into problems, the caller."""

import logging
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from service import logs
from service.api import guarding, problems
from service.errors import ServiceError
from service.keys import METRICS, REQUEST_ID, SETTINGS, TELEMETRY

_LOG = logging.getLogger("patchbay.request")
CLIENT_GONE = 499
"""What the log says, and nobody receives, when the client goes away before its request is complete."""
_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request its id, keep its trace context, write one log line when it is answered."""
    given = request.headers.get("X-Request-Id", "")
    request_id = given if _SANE_ID.fullmatch(given) else str(uuid.uuid4())
    request[REQUEST_ID] = request_id
    logs.REQUEST_ID.set(request_id)
    start = time.perf_counter()
    with _trace(request):
        response = await handler(request)
    if not response.prepared:
        response.headers["X-Request-Id"] = request_id
    _tell(request, response.status, time.perf_counter() - start)
    return response


@contextmanager
def _trace(request: web.Request) -> Iterator[None]:
    """Keep the caller's trace context for what is called on its behalf; make a span where telemetry is on."""
    given = request.headers.get("traceparent", "")
    trace = given if _TRACEPARENT.fullmatch(given) else None
    telemetry = request.app.get(TELEMETRY)
    with telemetry.request(_operation(request), trace) if telemetry else nullcontext(trace) as passed_on:
        logs.TRACEPARENT.set(passed_on)
        yield


def _operation(request: web.Request) -> str:
    return request.match_info.route.name or "unmatched"


def _tell(request: web.Request, status: int, seconds: float) -> None:
    """Count the request and write its log line; a slow one is a warning."""
    route = _operation(request)
    metrics = request.app[METRICS]
    metrics.requests.labels(request.method if route != "unmatched" else "", route, status).inc()
    metrics.request_seconds.labels(route).observe(seconds)
    slow = seconds > request.app[SETTINGS].slow_request_s
    facts = {"method": request.method, "path": request.path, "status": status, "ms": round(seconds * 1000, 1)}
    level = logging.WARNING if slow else logging.INFO
    _LOG.log(level, "%s%s %s %d", "slow: " if slow else "", request.method, request.path, status, extra=facts)


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error as a problem document; what nobody foresaw is logged with its traceback."""
    request_id = request[REQUEST_ID]
    try:
        return await handler(request)
    except ServiceError as error:
        return problems.answer(error, request, request_id)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return problems.answer_framework(error, request, request_id)
    except Exception as error:  # noqa: BLE001 - the last resort: logged with its traceback, answered with a bare 500
        if isinstance(error, ConnectionError) and request.transport is None:
            return web.Response(status=CLIENT_GONE)
        _LOG.exception("unexpected failure of %s %s", request.method, request.path)
        return problems.answer_unexpected(request, request_id)


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let callers through to the handler that may call it."""
    await guarding.admit(request)
    return await handler(request)


async def harden(request: web.Request, response: web.StreamResponse) -> None:  # noqa: ARG001 - the signal's shape
    """Add the headers that keep browsers from doing more with an answer than showing it."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "patchbay"


SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

MIDDLEWARES: tuple[Middleware, ...] = (observe, explain, guard)
