"""The real application on the run's MongoDB, and a client to it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from service.app import create_app
from service.settings import Settings

Client = TestClient[web.Request, web.Application]


@pytest.fixture(name="client")
async def make_client(aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings) -> Client:
    """A client of a service with default limits."""
    return await aiohttp_client(create_app(settings))


def inline(value: Any) -> dict[str, Any]:
    """An I/O object that holds the document itself."""
    return {"type": "inline", "value": value}
