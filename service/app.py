"""The composition root: the only module that knows every concrete class."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from service import __version__, keys
from service.access.choice import choose_authenticator
from service.access.rates import RateLimiter
from service.api.contract import RouteTableContract
from service.api.middleware import MIDDLEWARES, harden
from service.api.routes import ROUTES
from service.core.engine import Engine, EngineMissingError, choose
from service.errors import StartError
from service.metrics import Metrics
from service.ports import Clock, Reader, StoredDocuments
from service.providers.builtin import BuiltinProvider
from service.providers.webhook import WebhookSender
from service.readers.callback import GuardedCallbacks
from service.readers.client import GuardedClient
from service.readers.file import FileReader
from service.readers.guard import Guard
from service.readers.inline import InlineReader, RawReader
from service.readers.registry import ReaderRegistry, discover
from service.readers.stored import StoredReader
from service.readers.upload import UploadReader
from service.readers.url import UrlReader
from service.settings import Settings
from service.store.applications import MongoApplications
from service.store.comparisons import MongoComparisons
from service.store.confirmations import MongoConfirmations
from service.store.contained import MongoContained
from service.store.deployment import MongoProbe, check_deployment
from service.store.eligibility import MongoEligibility
from service.store.embedded import EmbeddedMongo
from service.store.feed import MongoFeed
from service.store.idempotency import MongoIdempotency
from service.store.identifiers import MongoIdentifiers
from service.store.indexes import ensure_indexes
from service.store.jobs import MongoJobs
from service.store.keys import MongoKeys
from service.store.leases import Leases
from service.store.listing import MongoLister
from service.store.members import MongoIndexes
from service.store.mongo import Database, connect
from service.store.moves import MongoMoves
from service.store.outbox import MongoOutbox
from service.store.patches import MongoPatches
from service.store.providers import MongoEndpoints
from service.store.resources import MongoResources
from service.store.retention import MongoRetention
from service.store.rollouts import MongoRollouts
from service.store.signals import EventSignals
from service.store.timeline import MongoTimeline
from service.store.types import MongoTypes
from service.traffic import Traffic
from service.usecases.catalog import TypeCatalog
from service.usecases.containing import FamilyLocks
from service.usecases.drafting import Limits
from service.usecases.patching import Desk
from service.usecases.rolling import Rolling
from service.usecases.shelf import Shelf
from service.usecases.stored import StoredResources
from service.workers.background import running
from service.workers.compute import Compute
from service.workers.courier import Courier
from service.workers.deadlines import Deadlines
from service.workers.feeding import Feeder, Watch
from service.workers.jobs import Jobs
from service.workers.measuring import MeasuredComparer
from service.workers.retaining import Retainer
from service.workers.rollouts import RolloutWorker

if TYPE_CHECKING:
    from service.telemetry import Telemetry


_FREQUENT = frozenset({"get_resource", "patch_resource"})
"""Of routes whose paths begin alike aiohttp tries one after the other, in the order they were added: these first."""


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
        middlewares=MIDDLEWARES,
        # bodies are decompressed in `api.bodies`, which says what is wrong with them; a connection that does not
        # send its headers in time is closed
        handler_args={"auto_decompress": False, "keepalive_timeout": settings.keep_alive_s},
    )
    app[keys.SETTINGS] = settings
    app[keys.CLOCK] = clock or SystemClock()
    guard = app[keys.URL_POLICY] = Guard(settings.url_allow, settings.url_ports)
    client = GuardedClient(guard)
    app[keys.SENDER] = WebhookSender(client)
    app[keys.CALLBACKS] = GuardedCallbacks(client, settings.url_timeout_s)
    app[keys.READERS] = ReaderRegistry(_make_readers(settings, client, lambda: app[keys.STORED]))
    app[keys.METRICS] = Metrics()
    app[keys.TRAFFIC] = Traffic()
    app[keys.ENGINE] = _choose_engine(settings, app[keys.METRICS])
    compute = app[keys.RUNNER] = _make_compute(app, settings)
    app[keys.COMPARER] = MeasuredComparer(compute, app[keys.METRICS])
    app[keys.CONTRACT] = RouteTableContract()
    app[keys.ROUTE_TABLE] = {route.operation_id: route for route in ROUTES}
    app[keys.RATES] = RateLimiter(settings.rate_limit)
    app.on_response_prepare.append(harden)
    app[keys.FOLLOWERS] = keys.Followers()
    app[keys.STOPPING] = []
    app.on_shutdown.append(stop_waiting)
    _instrument(app, telemetry or _make_telemetry(settings))
    app.cleanup_ctx.append(open_store)
    for route in sorted(ROUTES, key=lambda route: route.operation_id not in _FREQUENT):
        resource = app.router.add_resource(route.path, name=route.operation_id)
        resource.add_route(route.method, route.handler)
        if route.method == "GET":
            resource.add_route("HEAD", route.handler)
    return app


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
    return [*built_in, *discover()]


def _make_telemetry(settings: Settings) -> "Telemetry | None":
    if settings.otlp_endpoint is None:
        return None
    try:
        from service.telemetry import to_collector  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise StartError(
            "PATCHBAY_OTLP_ENDPOINT is set, but OpenTelemetry is missing: pip install 'patchbay[telemetry]'."
        ) from error
    return to_collector(settings.otlp_endpoint, __version__)


def _instrument(app: web.Application, telemetry: "Telemetry | None") -> None:
    """Put spans around what takes time, where telemetry is on."""
    if telemetry is None:
        return
    app[keys.TELEMETRY] = telemetry
    app[keys.READERS] = telemetry.readers(app[keys.READERS])
    app[keys.COMPARER] = telemetry.comparer(app[keys.COMPARER])

    async def close(_: web.Application) -> None:
        await asyncio.to_thread(telemetry.close)

    app.on_cleanup.append(close)


async def stop_waiting(app: web.Application) -> None:
    """Send home who waits for something to happen, so that it does not hold up the end."""
    for stop in app[keys.STOPPING]:
        await stop()


async def open_store(app: web.Application) -> AsyncIterator[None]:
    """Start or reach the database, check that it will do, and close it when the application ends."""
    settings = app[keys.SETTINGS]
    async with AsyncExitStack() as stack:
        uri = settings.mongodb_uri
        if uri is None:
            embedded = EmbeddedMongo(settings.data_dir, on_restart=app[keys.METRICS].database_restarts.inc)
            uri = (await stack.enter_async_context(embedded)).uri
        telemetry = app.get(keys.TELEMETRY)
        client = connect(uri, telemetry.listeners if telemetry else ())
        stack.callback(client.close)
        await check_deployment(client)
        database = client[settings.mongodb_database]
        app[keys.PROBE] = MongoProbe(client)
        app[keys.COMPARISONS] = MongoComparisons(database)
        app[keys.API_KEYS] = MongoKeys(database)
        app[keys.AUTHENTICATOR] = await choose_authenticator(settings, app[keys.API_KEYS], app[keys.CLOCK])
        await ensure_indexes(database)
        app[keys.IDEMPOTENCY] = MongoIdempotency(database, app[keys.CLOCK])
        resources = app[keys.RESOURCES] = MongoResources(
            database, app[keys.CLOCK], on_batch=app[keys.METRICS].note_batch
        )
        await stack.enter_async_context(resources.relay)
        app[keys.TYPES] = MongoTypes(database)
        app[keys.INDEXES] = MongoIndexes(database)
        app[keys.LISTER] = MongoLister(database)
        app[keys.SHELF] = Shelf(
            resources,
            TypeCatalog(app[keys.TYPES], app[keys.CLOCK]),
            MongoIdentifiers(database),
            MongoContained(database),
            MongoTimeline(database),
            FamilyLocks(),
        )
        app[keys.STORED] = StoredResources(app[keys.SHELF])
        app[keys.ENDPOINTS], app[keys.OUTBOX] = MongoEndpoints(database), MongoOutbox(database)
        app[keys.DESK] = make_desk(app, database)
        await follow_feed(app, stack, database)
        await carry_out_jobs(app, stack, database)
        await retain(app, stack, database)
        await deliver(app, stack, database)
        yield


def make_desk(app: web.Application, database: Database) -> Desk:
    """Bring together what patches need."""
    settings = app[keys.SETTINGS]
    return Desk(
        patches=MongoPatches(database),
        applications=MongoApplications(database),
        moves=MongoMoves(database),
        eligibility=MongoEligibility(database),
        builtin=BuiltinProvider(),
        endpoints=app[keys.ENDPOINTS],
        outbox=app[keys.OUTBOX],
        confirmations=MongoConfirmations(database),
        shelf=app[keys.SHELF],
        readers=app[keys.READERS],
        comparer=app[keys.COMPARER],
        clock=app[keys.CLOCK],
        limits=Limits(settings.max_depth, settings.max_operations, settings.max_input_bytes),
    )


async def retain(app: web.Application, stack: AsyncExitStack, database: Database) -> None:
    """Have old versions forgotten, as the settings say, for as long as the stack stands."""
    settings = app[keys.SETTINGS]
    retainer = Retainer(
        MongoRetention(database),
        Leases(database),
        app[keys.CLOCK],
        versions=settings.history_versions,
        days=settings.history_days,
    )
    await stack.enter_async_context(running(retainer.run()))


async def follow_feed(app: web.Application, stack: AsyncExitStack, database: Database) -> None:
    """Have events made, and followers told, for as long as the stack stands."""
    kept = timedelta(days=app[keys.SETTINGS].events_kept_days)
    feed = app[keys.FEED] = MongoFeed(database)
    watch = app[keys.FEED_WATCH] = Watch(EventSignals(database))
    await stack.enter_async_context(running(Feeder(feed, Leases(database), app[keys.CLOCK], kept).run()))
    await stack.enter_async_context(running(watch.run()))
    app[keys.STOPPING].append(watch.close)


async def deliver(app: web.Application, stack: AsyncExitStack, database: Database) -> None:
    """Have the outbox delivered, rollouts taken further and deadlines kept, for as long as the stack stands."""
    courier = Courier(
        app[keys.OUTBOX],
        app[keys.ENDPOINTS],
        MongoApplications(database),
        app[keys.SENDER],
        app[keys.CLOCK],
        app[keys.METRICS],
    )
    await stack.enter_async_context(running(courier.run()))


async def carry_out_jobs(app: web.Application, stack: AsyncExitStack, database: Database) -> None:
    """Carry out asynchronous calls, two at once, for as long as the stack stands.

    They have processes and time of their own: callers who wait for an answer are not to wait for jobs.
    """
    settings = app[keys.SETTINGS]
    store = app[keys.JOBS] = MongoJobs(database, app[keys.CLOCK])
    compute = Compute(app[keys.ENGINE], timeout_s=settings.job_timeout_s, slots=2)
    stack.push_async_callback(compute.close)
    for _ in range(2):
        worker = Jobs(store, compute, compute, app[keys.CALLBACKS], lease_s=settings.job_lease_s)
        await stack.enter_async_context(running(worker.run()))
    app[keys.ROLLING] = Rolling(MongoRollouts(database), app[keys.DESK])
    await stack.enter_async_context(running(RolloutWorker(app[keys.ROLLING]).run()))
    await stack.enter_async_context(running(Deadlines(app[keys.DESK], Leases(database)).run()))
