"""The composition root: the only module that knows every concrete class."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from aiohttp import web

from service import keys
from service.api.contract import RouteTableContract
from service.api.middleware import MIDDLEWARES
from service.api.routes import ROUTES
from service.ports import Clock, Reader
from service.readers.file import FileReader
from service.readers.inline import InlineReader, RawReader
from service.readers.registry import ReaderRegistry, discover
from service.readers.upload import UploadReader
from service.settings import Settings
from service.store.comparisons import MongoComparisons
from service.store.deployment import MongoProbe, check_deployment
from service.store.embedded import EmbeddedMongo
from service.store.mongo import connect
from service.store.resources import MongoResources
from service.workers.compute import ThreadComparer


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)


def create_app(settings: Settings, *, clock: Clock | None = None) -> web.Application:
    """Build the application; nothing is opened before it starts. Tests give it a clock of their own."""
    app = web.Application(middlewares=MIDDLEWARES, client_max_size=settings.max_body_bytes)
    app[keys.SETTINGS] = settings
    app[keys.CLOCK] = clock or SystemClock()
    app[keys.READERS] = ReaderRegistry(_make_readers(settings))
    app[keys.COMPARER] = ThreadComparer()
    app[keys.CONTRACT] = RouteTableContract()
    app.cleanup_ctx.append(open_store)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handler, name=route.operation_id)
    return app


def _make_readers(settings: Settings) -> list[Reader]:
    built_in: list[Reader] = [InlineReader(), RawReader(), UploadReader(), FileReader(settings.files_root)]
    return [*built_in, *discover()]


async def open_store(app: web.Application) -> AsyncIterator[None]:
    """Start or reach the database, check that it will do, and close it when the application ends."""
    settings = app[keys.SETTINGS]
    async with AsyncExitStack() as stack:
        uri = settings.mongodb_uri or (await stack.enter_async_context(EmbeddedMongo(settings.data_dir))).uri
        client = connect(uri)
        stack.callback(client.close)
        await check_deployment(client)
        database = client[settings.mongodb_database]
        app[keys.PROBE] = MongoProbe(client)
        app[keys.COMPARISONS] = MongoComparisons(database)
        app[keys.RESOURCES] = MongoResources(database, app[keys.CLOCK])
        yield
