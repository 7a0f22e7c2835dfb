"""Whether the process lives, and whether the database can be written to."""

from typing import Literal

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from service import __version__, errors
from service.api import replies
from service.api.route import Answer, Content, Route
from service.errors import StoreUnavailableError
from service.keys import ENGINE, METRICS, PROBE


class Health(msgspec.Struct, rename="camel"):
    """The process answers."""

    status: str
    version: str


class Readiness(msgspec.Struct, rename="camel"):
    """The database answers as a primary; `engine` is the diff engine that runs."""

    status: str
    version: str
    mongodb: str
    engine: Literal["native", "python"]


async def get_health(request: web.Request) -> web.Response:  # noqa: ARG001
    """Answer as long as the process does."""
    return replies.json_reply(Health("ok", __version__))


async def get_readiness(request: web.Request) -> web.Response:
    """Answer whether requests that need the database can be served."""
    gauge = request.app[METRICS].database_up
    try:
        version = await request.app[PROBE].ping()
    except StoreUnavailableError:
        gauge.set(0)
        raise
    gauge.set(1)
    return replies.json_reply(Readiness("ready", __version__, version, request.app[ENGINE].name))


async def get_metrics(request: web.Request) -> web.Response:
    """Answer what Prometheus collects."""
    return web.Response(body=request.app[METRICS].render(), headers={"Content-Type": CONTENT_TYPE_LATEST})


ROUTES = (
    Route(
        method="GET",
        path="/healthz",
        handler=get_health,
        summary="Is the process alive?",
        tag="service",
        access=None,
        answers=(Answer(status=200, description="It is", content=(Content(schema=Health),)),),
    ),
    Route(
        method="GET",
        path="/readyz",
        handler=get_readiness,
        summary="Can the database be written to?",
        tag="service",
        access=None,
        answers=(Answer(status=200, description="It can", content=(Content(schema=Readiness),)),),
        errors=(errors.StoreUnavailableError,),
    ),
    Route(
        method="GET",
        path="/metrics",
        handler=get_metrics,
        summary="Numbers for Prometheus",
        tag="service",
        takes_any_query=True,
        answers=(
            Answer(
                status=200,
                description="Prometheus text format",
                content=(Content(schema={"type": "string"}, media_type="text/plain"),),
            ),
        ),
    ),
)
