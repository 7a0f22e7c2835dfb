"""The composition root: with `lifetime`, the only module that knows every concrete class."""

import asyncio
import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aiohttp import web

from service import __version__, keys, logs
from service.access.rates import RateLimiter
from service.api import unmatched
from service.api.bodies import leave_expectation
from service.api.contract import RouteTableContract
from service.api.middleware import Middleware, harden_others
from service.api.route import Route
from service.api.routes import ROUTES
from service.core.engine import Engine, EngineMissingError, choose
from service.errors import StartError
from service.lifetime import open_store
from service.metrics import Metrics
from service.ports import Clock, Reader, StoredDocuments
from service.providers.webhook import WebhookSender
from service.readers.callback import GuardedCallbacks
from service.readers.client import GuardedClient
from service.readers.file import FileReader
from service.readers.guard import Guard
from service.readers.inline import InlineReader, RawReader
from service.readers.registry import ReaderRegistry, adopt, installed
from service.readers.stored import StoredReader
from service.readers.upload import UploadReader
from service.readers.url import UrlReader
from service.room import Room
from service.settings import Settings
from service.traffic import Traffic
from service.workers.compute import Compute
from service.workers.measuring import MeasuredComparer

if TYPE_CHECKING:
    from service.telemetry import Telemetry


_FREQUENT = "/v1/{type}/{id}"
"""Of paths that begin alike aiohttp tries one after the other, in the order they were added: this one first."""

_WEB_ADDRESS = re.compile(r"https?://([^\s/@]+@)?([^\s/:@?#\[\]]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[^\s?#]*)?")


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)


def create_app(
    settings: Settings, *, clock: Clock | None = None, telemetry: "Telemetry | None" = None
) -> web.Application:
    """Build the application; nothing is opened before it starts. Tests give it a clock and telemetry of their own."""
    app = web.Application(
        # bodies are decompressed in `api.bodies`, which says what is wrong with them; a connection that does not
        # send its headers in time is closed
        handler_args={"auto_decompress": False, "keepalive_timeout": settings.keep_alive_s},
    )
    app[keys.SETTINGS] = settings
    app[keys.CLOCK] = clock or SystemClock()
    guard = app[keys.URL_POLICY] = Guard(settings.url_allow, settings.url_ports)
    # Each looks names up in threads of its own: names that callers give must not hold up what goes to providers.
    client, to_callers, to_providers = (GuardedClient(guard, trace=logs.TRACEPARENT.get) for _ in range(3))
    app[keys.SENDER] = WebhookSender(to_providers)
    app[keys.CALLBACKS] = GuardedCallbacks(to_callers, settings.url_timeout_s)
    app[keys.METRICS] = Metrics()
    app[keys.TRAFFIC] = Traffic()
    app[keys.ROOM] = Room(settings.max_bodies_bytes)
    app[keys.ENGINE] = _choose_engine(settings, app[keys.METRICS])
    compute = app[keys.RUNNER] = _make_compute(app, settings)
    app[keys.READERS] = ReaderRegistry(_make_readers(settings, client, lambda: app[keys.STORED]), compute)
    app[keys.COMPARER] = MeasuredComparer(compute, app[keys.METRICS])
    app[keys.CONTRACT] = RouteTableContract()
    app[keys.RATES] = RateLimiter(settings.rate_limit)
    app.on_response_prepare.append(harden_others)
    app[keys.FOLLOWERS] = keys.Followers()
    app[keys.STOPPING] = []
    app.on_shutdown.append(stop_waiting)
    _instrument(app, telemetry or _make_telemetry(settings))
    app.cleanup_ctx.append(open_store)
    _add_routes(app)
    return app


def _add_routes(app: web.Application) -> None:
    for path, routes in itertools.groupby(sorted(ROUTES, key=_place), key=lambda route: route.path):
        resource = app.router.add_resource(path)
        for route in routes:
            serve = Middleware(app, route.handler, route).serve
            for method in (route.method, "HEAD") if route.method == "GET" else (route.method,):
                resource.add_route(method, serve, expect_handler=leave_expectation)
    refuse = Middleware(app, unmatched.refuse, None).serve
    app.router.add_resource(unmatched.PATH).add_route("*", refuse, expect_handler=leave_expectation)


def _place(route: Route) -> tuple[bool, str]:
    return route.path != _FREQUENT, route.path


def _choose_engine(settings: Settings, metrics: Metrics) -> Engine:
    try:
        return choose(settings.engine, keep_bytes=settings.engine_keep_bytes, on_fallback=metrics.engine_fallbacks.inc)
    except EngineMissingError as error:
        raise StartError(str(error)) from error


def _make_compute(app: web.Application, settings: Settings) -> Compute:
    compute = Compute(app[keys.ENGINE], timeout_s=settings.diff_timeout_s)

    async def close(_: web.Application) -> None:
        await compute.close()

    app.on_cleanup.append(close)
    return compute


def _make_readers(settings: Settings, client: GuardedClient, stored: Callable[[], StoredDocuments]) -> list[Reader]:
    built_in: list[Reader] = [
        InlineReader(),
        RawReader(),
        UploadReader(),
        FileReader(settings.files_root),
        UrlReader(client),
        StoredReader(stored),
    ]
    return [*built_in, *adopt(installed())]


def _make_telemetry(settings: Settings) -> "Telemetry | None":
    if settings.otlp_endpoint is None:
        return None
    if not _WEB_ADDRESS.fullmatch(settings.otlp_endpoint):
        raise StartError(
            "PATCHBAY_OTLP_ENDPOINT is no http or https URL without a query such as http://127.0.0.1:4318."
        )
    try:
        from service.telemetry import to_collector  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise StartError(
            "PATCHBAY_OTLP_ENDPOINT is set, but OpenTelemetry is missing: pip install 'patchbay[telemetry]'."
        ) from error
    return to_collector(settings.otlp_endpoint, __version__)


def _instrument(app: web.Application, telemetry: "Telemetry | None") -> None:
    """Put spans around what takes time, where telemetry is on."""
    app[keys.TELEMETRY] = telemetry
    if telemetry is None:
        return
    app[keys.READERS] = telemetry.readers(app[keys.READERS])
    app[keys.COMPARER] = telemetry.comparer(app[keys.COMPARER])

    async def close(_: web.Application) -> None:
        await asyncio.to_thread(telemetry.close)

    app.on_cleanup.append(close)


async def stop_waiting(app: web.Application) -> None:
    """Send home who waits for something to happen, so that it does not hold up the end."""
    for stop in app[keys.STOPPING]:
        await stop()
