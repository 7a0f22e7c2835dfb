"""Typed keys of what the application holds. No string keys, no module-level singletons."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from service.core.engine import Engine
from service.metrics import Metrics
from service.model import Caller
from service.ports import (
    Authenticator,
    Callbacks,
    Clock,
    Comparer,
    ComparisonStore,
    Contract,
    EndpointStore,
    FeedStore,
    FeedWatch,
    IdempotencyStore,
    IndexStore,
    JobStore,
    KeyStore,
    OutboxStore,
    Probe,
    Rates,
    ResourceLister,
    Runner,
    Sender,
    SourceReader,
    Spans,
    StoredDocuments,
    TypeStore,
    UrlPolicy,
)
from service.room import Room, Share
from service.settings import Settings
from service.traffic import Traffic
from service.usecases.patching import Desk
from service.usecases.rolling import Rolling
from service.usecases.shelf import Shelf


class Followers:
    """How many follow the feed as a stream now."""

    count = 0


SETTINGS = web.AppKey("SETTINGS", Settings)
CLOCK = web.AppKey("CLOCK", Clock)
READERS = web.AppKey("READERS", SourceReader)
ENGINE = web.AppKey("ENGINE", Engine)
COMPARER = web.AppKey("COMPARER", Comparer)
RUNNER = web.AppKey("RUNNER", Runner)
COMPARISONS = web.AppKey("COMPARISONS", ComparisonStore)
JOBS = web.AppKey("JOBS", JobStore)
CALLBACKS = web.AppKey("CALLBACKS", Callbacks)
IDEMPOTENCY = web.AppKey("IDEMPOTENCY", IdempotencyStore)
SHELF = web.AppKey("SHELF", Shelf)
TYPES = web.AppKey("TYPES", TypeStore)
INDEXES = web.AppKey("INDEXES", IndexStore)
LISTER = web.AppKey("LISTER", ResourceLister)
DESK = web.AppKey("DESK", Desk)
STORED = web.AppKey("STORED", StoredDocuments)
PROBE = web.AppKey("PROBE", Probe)
FEED = web.AppKey("FEED", FeedStore)
FEED_WATCH = web.AppKey("FEED_WATCH", FeedWatch)
FOLLOWERS = web.AppKey("FOLLOWERS", Followers)
STOPPING = web.AppKey[list[Callable[[], Awaitable[None]]]]("STOPPING")
"""What to call when the service is told to stop, before it waits for requests in flight."""
ENDPOINTS = web.AppKey("ENDPOINTS", EndpointStore)
OUTBOX = web.AppKey("OUTBOX", OutboxStore)
SENDER = web.AppKey("SENDER", Sender)
URL_POLICY = web.AppKey("URL_POLICY", UrlPolicy)
ROLLING = web.AppKey("ROLLING", Rolling)
METRICS = web.AppKey("METRICS", Metrics)
TRAFFIC = web.AppKey("TRAFFIC", Traffic)
ROOM = web.AppKey("ROOM", Room)
TELEMETRY = web.AppKey[Spans | None]("TELEMETRY")
CONTRACT = web.AppKey("CONTRACT", Contract)

API_KEYS = web.AppKey("API_KEYS", KeyStore)
AUTHENTICATOR = web.AppKey[Authenticator | None]("AUTHENTICATOR")
RATES = web.AppKey("RATES", Rates)

REQUEST_ID = web.RequestKey("REQUEST_ID", str)
CALLER = web.RequestKey("CALLER", Caller)
BODY = web.RequestKey("BODY", bytes)
SHARE = web.RequestKey[Share | None]("SHARE")
"""What a request has taken of the room for documents, None where it is nothing yet."""
ASKS_FIRST = web.RequestKey("ASKS_FIRST", bool)
"""Set while the client waits to be told whether to send the body."""
WRITE_ID = web.RequestKey("WRITE_ID", str)
BEGUN = web.RequestKey("BEGUN", web.StreamResponse)
"""A response that is sent piece by piece, and has been begun."""
IS_PATIENT = web.RequestKey("IS_PATIENT", bool)
"""Set where a request lasts as long as its reader wishes."""
