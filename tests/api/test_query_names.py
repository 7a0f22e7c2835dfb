"""Parameters of the query that a route has not: a misspelt one would be left out, and what it asked for not be done."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from service.api.route import Route
from service.api.routes import ROUTES

Client = TestClient[web.Request, web.Application]
STRICT = [route for route in ROUTES if route.access is not None and not route.takes_any_query]


async def test_a_misspelt_dry_run_writes_nothing(client: Client) -> None:
    made = await (await client.post("/v1/clinic", json={"name": "A"})).json()

    refused = await client.put(f"/v1/clinic/{made['id']}?dryrun=true&fast=1", json={"name": "B"})
    problem = await refused.json()

    assert (refused.status, problem["code"]) == (400, "invalid-request")
    assert problem["detail"] == (
        "Query parameter 'dryrun' is unknown; this route takes dryRun; "
        "query parameter 'fast' is unknown; this route takes dryRun."
    )
    assert [each["field"] for each in problem["errors"]] == ["dryrun", "fast"]
    assert (await (await client.get(f"/v1/clinic/{made['id']}")).json())["name"] == "A"


@pytest.mark.parametrize("route", STRICT, ids=lambda route: f"{route.method} {route.path}")
async def test_every_route_refuses_what_it_does_not_have(client: Client, route: Route) -> None:
    names = {param.name: "x" for param in route.params if param.where == "path"}

    refused = await client.request(route.method, f"{route.path.format_map(names)}?wondrous=1")

    assert (refused.status, (await refused.json())["errors"][0]["field"]) == (400, "wondrous")


@pytest.mark.parametrize(
    "path", ["/v1/clinic?wondrous=1", "/metrics?format=text", "/healthz?probe=1", "/docs?from=here"]
)
async def test_filters_of_lists_and_what_probes_send_are_let_through(client: Client, path: str) -> None:
    assert (await client.get(path)).status == 200
