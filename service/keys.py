"""Typed keys of what the application holds. No string keys, no module-level singletons."""

from aiohttp import web

from service.model import Caller
from service.ports import Clock, Comparer, ComparisonStore, Contract, Probe, ResourceStore, SourceReader
from service.settings import Settings

SETTINGS = web.AppKey("SETTINGS", Settings)
CLOCK = web.AppKey("CLOCK", Clock)
READERS = web.AppKey("READERS", SourceReader)
COMPARER = web.AppKey("COMPARER", Comparer)
COMPARISONS = web.AppKey("COMPARISONS", ComparisonStore)
RESOURCES = web.AppKey("RESOURCES", ResourceStore)
PROBE = web.AppKey("PROBE", Probe)
CONTRACT = web.AppKey("CONTRACT", Contract)

REQUEST_ID = web.RequestKey("REQUEST_ID", str)
CALLER = web.RequestKey("CALLER", Caller)
