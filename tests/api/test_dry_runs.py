"""`?dryRun=true`: every write says what it would do, that it did not, and does not."""

import io
import json
from typing import Any

import pytest

from tests.api.conftest import Client
from tests.api.patches import act, fetch, fresh_type, record
from tests.api.patches import make as make_resource

MERGE = {"Content-Type": "application/merge-patch+json"}
HELD = {"system": "npi", "value": "7"}


def deep(levels: int) -> list[Any]:
    """An array of so many levels."""
    return [deep(levels - 1)] if levels > 1 else []


async def make(client: Client) -> tuple[str, str]:
    """A resource and a patch recorded against it, by their addresses."""
    made = await client.post("/v1/clinic", json={"n": 1})
    location = made.headers["Location"]
    patches = f"/resources/{location.rsplit('/', 1)[1]}/patches"
    await client.post(patches, json={"definition": {"patch_id": "p", "payload": {"merge": {"n": 2}}}})
    return location, patches


WRITES = [
    pytest.param("POST", "/v1/clinic", {}, {}, id="create"),
    pytest.param("PUT", "{resource}", {"n": 3}, {}, id="replace"),
    pytest.param("PATCH", "{resource}", {"n": 3}, MERGE, id="patch"),
    pytest.param("PATCH", "{resource}", {"n": 3}, {**MERGE, "Prefer": "return=minimal"}, id="patch, minimal answer"),
    pytest.param("POST", "{resource}/revert", {"version": 1}, {}, id="revert"),
    pytest.param("DELETE", "{resource}", None, {}, id="delete"),
    pytest.param("POST", "{patches}", {"definition": {"patch_id": "q"}}, {}, id="record"),
    pytest.param("POST", "{patches}/p/apply", {}, {}, id="apply"),
    pytest.param("POST", "{patches}/p/cancel", {}, {}, id="cancel"),
    pytest.param("POST", "{patches}/p/rollouts", {"type": "clinic"}, {}, id="roll out"),
    pytest.param("PUT", "/types/never-defined", {}, {}, id="define"),
]


@pytest.mark.parametrize("asked", ["true", "", "TRUE"])
@pytest.mark.parametrize(("method", "path", "body", "headers"), WRITES)
async def test_a_dry_run_says_that_it_was_one(
    client: Client, method: str, path: str, body: Any, headers: dict[str, str], asked: str
) -> None:
    resource, patches = await make(client)
    path = path.format(resource=resource, patches=patches)

    dry = await client.request(method, f"{path}?dryRun={asked}", json=body, headers=headers)

    assert 200 <= dry.status < 300, await dry.text()
    assert dry.headers["Patchbay-Dry-Run"] == "true"
    assert "Location" not in dry.headers
    after = await client.get(resource)
    assert (after.headers["ETag"], (await after.json())["n"]) == ('"1"', 1)
    assert (await (await client.get(f"{patches}/p")).json())["status"] == "pending"
    assert len(await (await client.get(patches)).json()) == 1


@pytest.mark.parametrize("query", ["", "?dryRun=false"])
async def test_what_was_done_is_not_said_to_be_dry(client: Client, query: str) -> None:
    done = await client.post(f"/v1/clinic{query}", json={})
    read = await client.get(done.headers["Location"])

    assert "Patchbay-Dry-Run" not in {**done.headers, **read.headers}


@pytest.mark.parametrize(
    "query",
    [
        "{resource}?dryRun=false&dryRun=true",
        "{resource}?version=1&version=2",
        "{resource}?at=2026-01-01T00:00:00Z&at=2027-01-01T00:00:00Z",
        "{resource}/diff?from=1&from=1&to=1",
        "{resource}/history?limit=1&limit=2",
        "{patches}?status=pending&status=failed",
        "/v1/clinic?sort=n&sort=-n",
        "/v1/clinic?cursor=x&cursor=y",
        "/events?after=0&after=1",
    ],
)
async def test_a_parameter_that_comes_twice_is_refused(client: Client, query: str) -> None:
    resource, patches = await make(client)
    address = query.format(resource=resource, patches=patches)

    if "dryRun" in query:
        answer = await client.patch(address, data=b"{}", headers=MERGE)
    else:
        answer = await client.get(address)

    told = await answer.json()
    assert (answer.status, told["code"]) == (400, "invalid-request")
    assert "send it once" in told["detail"]


async def test_a_filter_may_come_twice(client: Client) -> None:
    resource, _ = await make(client)

    found = await client.get(f"/v1/clinic?n[gte]=1&n[gte]=0&id={resource.rsplit('/', 1)[1]}")

    assert [each["n"] for each in await found.json()] == [1]


CREATES = {"If-None-Match": "*"}


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        pytest.param("POST", "", {"identifier": [HELD]}, {}, id="create"),
        pytest.param("PUT", "/another", {"identifier": [HELD]}, CREATES, id="create under an id"),
        pytest.param("PUT", "{id}", {"identifier": [HELD]}, {}, id="replace"),
        pytest.param("PATCH", "{id}", {"identifier": [HELD]}, MERGE, id="patch"),
        pytest.param("POST", "{id}/revert", {"version": 1}, {}, id="revert"),
    ],
)
async def test_a_dry_run_says_that_another_resource_has_the_identifier(
    client: Client, method: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    resources = f"/v1/{fresh_type()}"
    first = await client.post(resources, json={"identifier": [HELD]})
    named = f"/{(await first.json())['id']}"
    await client.patch(resources + named, json={"identifier": []}, headers=MERGE)
    await client.post(resources, json={"identifier": [HELD]})
    address = resources + path.format(id=named)

    dry = await client.request(method, f"{address}?dryRun=true", json=body, headers=headers)
    real = await client.request(method, address, json=body, headers=headers)

    told = [{**(await each.json()), "requestId": ""} for each in (dry, real)]
    assert (dry.status, told[0]["code"]) == (409, "duplicate-identifier")
    assert told[0] == told[1]


async def test_what_a_patch_would_do_tells_of_an_identifier_that_another_resource_has(client: Client) -> None:
    type_name = fresh_type()
    await client.post(f"/v1/{type_name}", json={"identifier": [HELD]})
    resource_id = await make_resource(client, {"n": 1}, type_name)
    await record(client, resource_id, payload={"merge": {"identifier": [HELD]}})

    _, checked = await act(client, resource_id, "check")
    dry, failed = await act(client, resource_id, "apply", params={"dryRun": "true"})

    assert "has the identifier" in checked["error"]
    assert (checked["document"], checked["diff"]) == (None, None)
    assert (dry, failed["code"]) == (409, "application-failed")
    assert (await fetch(client, resource_id, "/p-1"))["status"] == "pending"


@pytest.mark.parametrize("content", [{"a": deep(100)}, {"a": "x" * 17_000_000}], ids=["too deep", "too large"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_dry_run_says_that_the_database_could_not_hold_the_document(
    client: Client, method: str, content: dict[str, Any]
) -> None:
    resource, _ = await make(client)
    address, headers = ("/v1/clinic", {"Content-Type": "application/json"}) if method == "POST" else (resource, MERGE)
    body = json.dumps(content).encode()

    dry = await client.request(method, f"{address}?dryRun=true", data=io.BytesIO(body), headers=headers)
    real = await client.request(method, address, data=io.BytesIO(body), headers=headers)

    told = [{**(await each.json()), "requestId": ""} for each in (dry, real)]
    assert (dry.status, told[0]["code"]) == (422, "not-storable")
    assert told[0] == told[1]


async def test_a_dry_run_says_that_the_database_could_not_hold_the_patch(client: Client) -> None:
    _, patches = await make(client)
    body = json.dumps({"definition": {"patch_id": "large", "payload": {"text": "x" * 17_000_000}}}).encode()

    for query in ("?dryRun=true", ""):
        answer = await client.post(
            f"{patches}{query}", data=io.BytesIO(body), headers={"Content-Type": "application/json"}
        )
        assert (answer.status, (await answer.json())["code"]) == (422, "not-storable")
