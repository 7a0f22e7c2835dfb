"""What `Accept` asks for and no answer of the route has is refused before anything is done, on every route."""

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from yarl import URL

from service.api.route import Route
from service.api.routes import ROUTES

Client = TestClient[web.Request, web.Application]
GUARDED = [route for route in ROUTES if route.access and route.offers]
NAMES = {"type": "clinic"}


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.operation_id)
async def test_what_no_answer_can_be_is_refused(client: Client, route: Route) -> None:
    path = route.path
    for param in route.params:
        path = path.replace(f"{{{param.name}}}", NAMES.get(param.name, "none"))
    refused = await _ask(client, route.method, path, "image/png, application/json;q=0")
    taken = await _ask(client, route.method, path, f"image/png, {route.offers[0]};seq=0;q=0.1")

    problem: Any = await refused.json()
    assert (refused.status, problem["code"]) == (406, "not-acceptable")
    assert route.offers[0] in problem["detail"]
    assert taken.status != 406


async def _ask(client: Client, method: str, path: str, accept: str) -> Any:
    return await client.request(method, URL(path, encoded=True), headers={"Accept": accept})
