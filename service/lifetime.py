"""What the application holds while it runs: the database, the stores on it, and the work in the background.

With `app` it is the composition root; nothing else knows these classes together.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, nullcontext
from datetime import timedelta
from typing import Protocol

from aiohttp import web

from service import keys
from service.access.choice import choose_authenticator
from service.providers.builtin import BuiltinProvider
from service.store.applications import MongoApplications
from service.store.comparisons import MongoComparisons
from service.store.confirmations import MongoConfirmations
from service.store.contained import MongoContained
from service.store.deployment import MongoProbe, check_deployment, told_to_operator
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
from service.store.restoring import refuse_part
from service.store.retention import MongoRetention
from service.store.rollouts import MongoRollouts
from service.store.signals import EventSignals
from service.store.timeline import MongoTimeline
from service.store.types import MongoTypes
from service.tasks import running
from service.usecases.asked import Limits
from service.usecases.catalog import TypeCatalog
from service.usecases.containing import FamilyLocks
from service.usecases.patching import Desk
from service.usecases.rolling import Rolling
from service.usecases.shelf import Shelf
from service.usecases.stored import StoredResources
from service.workers.callbacks import CallbackWorker
from service.workers.calm import Calms
from service.workers.compute import Compute
from service.workers.courier import Courier
from service.workers.deadlines import Deadlines
from service.workers.feeding import Feeder, Watch
from service.workers.jobs import Jobs
from service.workers.retaining import Retainer
from service.workers.rollouts import RolloutWorker
from service.workers.telling import Backlogs

_CALMS = web.AppKey("CALMS", Calms)


class Worker(Protocol):
    """Work in the background that goes on until it is cancelled."""

    async def run(self) -> None:
        """Do it."""
        ...


async def open_store(app: web.Application) -> AsyncIterator[None]:
    """Open the database and begin the work in the background; end both when the application ends."""
    async with AsyncExitStack() as stack:
        database = await _reach_database(app, stack)
        with told_to_operator():
            await ensure_indexes(database)
        resources = _set_out_stores(app, database)
        compute = Compute(app[keys.ENGINE], timeout_s=app[keys.SETTINGS].job_timeout_s, limit="job_timeout_s", slots=2)
        stack.push_async_callback(compute.close)
        workers = (
            *_make_feeders(app, database),
            *_make_job_workers(app, database, compute),
            *_make_patch_workers(app, database),
            _make_retainer(app, database),
            Backlogs(app[keys.OUTBOX], app[keys.JOBS], app[keys.CLOCK], app[keys.METRICS]),
        )
        async with resources.relay, running(*(each.run() for each in workers)):
            yield


async def _reach_database(app: web.Application, stack: AsyncExitStack) -> Database:
    """Start or reach the database, and check that it will do, and that callers can be told apart."""
    settings = app[keys.SETTINGS]
    uri = settings.mongodb_uri
    if uri is None:
        embedded = EmbeddedMongo(settings.data_dir, on_restart=app[keys.METRICS].database_restarts.inc)
        uri = (await stack.enter_async_context(embedded)).uri
    telemetry = app[keys.TELEMETRY]
    client = connect(uri, telemetry.listeners if telemetry else ())
    stack.callback(client.close)
    await check_deployment(client)
    with told_to_operator():
        await refuse_part(client, settings.mongodb_database)
    app[keys.PROBE] = MongoProbe(client)
    database = client[settings.mongodb_database]
    app[keys.API_KEYS] = MongoKeys(database)
    app[keys.AUTHENTICATOR] = await choose_authenticator(settings, app[keys.API_KEYS], app[keys.CLOCK])
    return database


def _set_out_stores(app: web.Application, database: Database) -> MongoResources:
    calms = app[_CALMS] = Calms()
    app[keys.COMPARISONS] = MongoComparisons(database)
    app[keys.IDEMPOTENCY] = MongoIdempotency(database, app[keys.CLOCK])
    app[keys.TYPES] = MongoTypes(database)
    app[keys.INDEXES] = MongoIndexes(database)
    app[keys.LISTER] = MongoLister(database)
    app[keys.ENDPOINTS], app[keys.OUTBOX] = MongoEndpoints(database), MongoOutbox(database, calms.deliveries.stir)
    resources = MongoResources(database, app[keys.CLOCK], app[keys.METRICS].note_batch, calms.events.stir)
    app[keys.SHELF] = Shelf(
        resources,
        TypeCatalog(app[keys.TYPES]),
        MongoIdentifiers(database),
        MongoContained(database),
        MongoTimeline(database),
        FamilyLocks(),
        app[keys.ENGINE],
    )
    app[keys.STORED] = StoredResources(app[keys.SHELF])
    app[keys.DESK] = _make_desk(app, database)
    app[keys.ROLLING] = Rolling(MongoRollouts(database, calms.rollouts.stir), app[keys.DESK])
    return resources


def _make_desk(app: web.Application, database: Database) -> Desk:
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


def _make_feeders(app: web.Application, database: Database) -> Iterator[Worker]:
    """Make what makes events, and tells followers of them."""
    kept = timedelta(days=app[keys.SETTINGS].events_kept_days)
    feed = app[keys.FEED] = MongoFeed(database)
    watch = app[keys.FEED_WATCH] = Watch(EventSignals(database))
    app[keys.STOPPING].append(watch.close)
    yield watch
    yield Feeder(feed, Leases(database), app[keys.CLOCK], kept, app[_CALMS].events)


def _make_patch_workers(app: web.Application, database: Database) -> Iterator[Worker]:
    """Make what delivers the outbox, takes rollouts further and keeps deadlines."""
    calms = app[_CALMS]
    yield Courier(
        app[keys.OUTBOX],
        app[keys.ENDPOINTS],
        MongoApplications(database),
        app[keys.SENDER],
        app[keys.CLOCK],
        calms.deliveries,
    )
    yield RolloutWorker(app[keys.ROLLING], calms.rollouts)
    yield Deadlines(app[keys.DESK], Leases(database))


def _make_job_workers(app: web.Application, database: Database, compute: Compute) -> Iterator[Worker]:
    """Make what carries out asynchronous calls, two at once, and tells their callers.

    They have processes and time of their own: callers who wait for an answer are not to wait for jobs.
    """
    calms, telemetry = app[_CALMS], app[keys.TELEMETRY]
    store = app[keys.JOBS] = MongoJobs(database, app[keys.CLOCK], calms.jobs.stir, calms.callbacks.stir)
    yield CallbackWorker(store, app[keys.CALLBACKS], calms.callbacks)
    for _ in range(2):
        yield Jobs(
            store,
            compute,
            app[keys.METRICS],
            calms.jobs,
            app[keys.ROOM],
            lease_s=app[keys.SETTINGS].job_lease_s,
            span=telemetry.job if telemetry else nullcontext,
        )


def _make_retainer(app: web.Application, database: Database) -> Retainer:
    """Make what has old versions forgotten, as the settings say."""
    settings = app[keys.SETTINGS]
    return Retainer(
        MongoRetention(database),
        Leases(database),
        app[keys.CLOCK],
        versions=settings.history_versions,
        days=settings.history_days,
    )
