"""The composition root: the only module that knows every concrete class."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from aiohttp import web

from service import keys
from service.access.jwks import jwks_loader
from service.access.keys import KeyAuthenticator
from service.access.rates import RateLimiter
from service.access.tokens import TokenAuthenticator
from service.api.contract import RouteTableContract
from service.api.middleware import MIDDLEWARES, harden
from service.api.routes import ROUTES
from service.errors import StartError
from service.metrics import Metrics
from service.ports import Authenticator, Clock, KeyStore, Reader
from service.readers.client import GuardedClient
from service.readers.file import FileReader
from service.readers.guard import Guard
from service.readers.inline import InlineReader, RawReader
from service.readers.registry import ReaderRegistry, discover
from service.readers.upload import UploadReader
from service.readers.url import UrlReader
from service.settings import Settings
from service.store.comparisons import MongoComparisons
from service.store.deployment import MongoProbe, check_deployment
from service.store.embedded import EmbeddedMongo
from service.store.idempotency import MongoIdempotency
from service.store.indexes import ensure_indexes
from service.store.keys import MongoKeys
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
    app = web.Application(
        middlewares=MIDDLEWARES,
        # bodies are decompressed in `api.bodies`, which says what is wrong with them; a connection that does not
        # send its headers in time is closed
        handler_args={"auto_decompress": False, "keepalive_timeout": settings.keep_alive_s},
    )
    app[keys.SETTINGS] = settings
    app[keys.CLOCK] = clock or SystemClock()
    app[keys.READERS] = ReaderRegistry(_make_readers(settings))
    app[keys.COMPARER] = ThreadComparer()
    app[keys.CONTRACT] = RouteTableContract()
    app[keys.ROUTE_TABLE] = {route.operation_id: route for route in ROUTES}
    app[keys.METRICS] = Metrics()
    app[keys.RATES] = RateLimiter(settings.rate_limit)
    app.on_response_prepare.append(harden)
    app.cleanup_ctx.append(open_store)
    for route in ROUTES:
        resource = app.router.add_resource(route.path, name=route.operation_id)
        resource.add_route(route.method, route.handler)
        if route.method == "GET":
            resource.add_route("HEAD", route.handler)
    return app


def _make_readers(settings: Settings) -> list[Reader]:
    client = GuardedClient(Guard(settings.url_allow, settings.url_ports))
    built_in: list[Reader] = [
        InlineReader(),
        RawReader(),
        UploadReader(),
        FileReader(settings.files_root),
        UrlReader(client),
    ]
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
        app[keys.API_KEYS] = MongoKeys(database)
        app[keys.AUTHENTICATOR] = await choose_authenticator(settings, app[keys.API_KEYS], app[keys.CLOCK])
        await ensure_indexes(database)
        app[keys.IDEMPOTENCY] = MongoIdempotency(database, app[keys.CLOCK])
        resources = app[keys.RESOURCES] = MongoResources(database, app[keys.CLOCK])
        await stack.enter_async_context(resources.relay)
        yield


async def choose_authenticator(settings: Settings, store: KeyStore, clock: Clock) -> Authenticator | None:
    """Make what tells callers apart, None where authentication is off; `StartError` when its settings do not do."""
    if settings.auth == "keys":
        return KeyAuthenticator(store, clock)
    if settings.auth == "none":
        return None
    if not (settings.jwt_jwks and settings.jwt_issuer and settings.jwt_audience):
        raise StartError("PATCHBAY_AUTH=jwt needs PATCHBAY_JWT_JWKS, PATCHBAY_JWT_ISSUER and PATCHBAY_JWT_AUDIENCE.")
    tokens = TokenAuthenticator(
        jwks_loader(settings.jwt_jwks), issuer=settings.jwt_issuer, audience=settings.jwt_audience
    )
    try:
        await tokens.prepare()
    except (ValueError, OSError, TimeoutError) as error:
        raise StartError("PATCHBAY_JWT_JWKS names neither a JWKS nor a PEM public key that can be read.") from error
    return tokens
