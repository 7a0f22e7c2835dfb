"""What stands around every handler: the request id and the log line, errors made into problems, the caller.

One middleware does it all, made for its route when the route is added: each layer of coroutines, and each look-up of
what never changes, would cost every request as much as the work in it.
"""

import logging
import re
import time
from collections.abc import Awaitable
from contextlib import AbstractContextManager

from aiohttp import web

from service import logs
from service.api import problems
from service.api.bodies import note_expectation
from service.api.flags import runs_dry
from service.api.guarding import admit
from service.api.hanging_up import has_hung_up
from service.api.replies import harden
from service.api.route import Handler, Route
from service.errors import ServiceError
from service.keys import ASKS_FIRST, BEGUN, IS_PATIENT, METRICS, REQUEST_ID, SETTINGS, SHARE, TELEMETRY, TRAFFIC

_LOG = logging.getLogger("patchbay.request")
CLIENT_GONE = 499
"""What the log says, and nobody receives, when the client goes away before its request is complete."""
_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Middleware:
    """What stands around the handler of one route, or of what no route has, where `route` is None."""

    def __init__(self, app: web.Application, handler: Handler, route: Route | None) -> None:
        self._app = app
        self._handler = handler
        self._route = route
        self._name = "unmatched" if route is None else route.operation_id
        self._takes_dry_run = route is not None and route.takes_dry_run
        self._traffic, self._metrics, self._telemetry = app[TRAFFIC], app[METRICS], app[TELEMETRY]
        self._slow_s = app[SETTINGS].slow_request_s

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Give the request its id, keep its trace context, answer it, write one log line when that is done."""
        start = time.perf_counter()
        traffic, headers = self._traffic, request.headers
        task = request.task
        given = headers.get("X-Request-Id")
        request_id = given if given is not None and _SANE_ID.fullmatch(given) else traffic.make_id()
        request[REQUEST_ID], request[SHARE] = request_id, None
        logs.REQUEST_ID.set(request_id)
        traffic.enter(task)
        try:
            response = await self._trace(request)
        finally:
            traffic.leave(task)
            if (share := request[SHARE]) is not None:
                share.close()
        # who asks, and is not told to go on, may send the body or not
        if traffic.is_stopping or ("Expect" in headers and ASKS_FIRST in request):
            response.force_close()
        self._tell(request, response.status, time.perf_counter() - start)
        return response

    def _trace(self, request: web.Request) -> Awaitable[web.StreamResponse]:
        """Keep the caller's trace context for what is called on its behalf; make a span where telemetry is on."""
        given = request.headers.get("traceparent")
        trace = given if given is not None and _TRACEPARENT.fullmatch(given) else None
        if self._telemetry is not None:
            return self._answer_in_span(request, self._telemetry.request(self._name, trace))
        logs.TRACEPARENT.set(trace)
        return self._answer(request)

    async def _answer_in_span(self, request: web.Request, span: AbstractContextManager[str]) -> web.StreamResponse:
        with span as passed_on:
            logs.TRACEPARENT.set(passed_on)
            return await self._answer(request)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        """Let the request through to its handler; answer every error as a problem document.

        What nobody foresaw is logged with its traceback.
        """
        try:
            if "Expect" in request.headers:
                note_expectation(request)
            await admit(request, self._route, self._app)
            response = await self._handler(request)
            if self._takes_dry_run and response.status < 400 and runs_dry(request):
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

    def _tell(self, request: web.Request, status: int, seconds: float) -> None:
        """Count the request and write its log line; a slow one is a warning."""
        method = request.method
        self._metrics.note_request("" if self._route is None else method, self._name, status, seconds)
        slow = seconds > self._slow_s and IS_PATIENT not in request
        level = logging.WARNING if slow else logging.INFO
        if not _LOG.isEnabledFor(level):
            return
        path = request.path
        facts = {"method": method, "path": path, "status": status, "ms": round(seconds * 1000, 1)}
        _LOG.log(level, "%s%s %s %d", "slow: " if slow else "", method, path, status, extra=facts)


def _broken_off(request: web.Request) -> web.StreamResponse | None:
    """Give up a response that has begun, if any: a problem would stand amid it, and its end say that it is whole."""
    begun = request.get(BEGUN)
    if begun is not None and request.transport is not None:
        request.transport.abort()
    return begun


async def harden_others(request: web.Request, response: web.StreamResponse) -> None:
    """Harden what goes aiohttp's own way: pages, streams, answers without a body."""
    harden(request, response)
    if not isinstance(response, web.Response):
        request[BEGUN] = response
