"""`?dryRun=true`: every write says what it would do, that it did not, and does not."""

from typing import Any

import pytest

from tests.api.conftest import Client

MERGE = {"Content-Type": "application/merge-patch+json"}


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


@pytest.mark.parametrize("query", ["", "?dryRun=false", "?dry=true"])
async def test_what_was_done_is_not_said_to_be_dry(client: Client, query: str) -> None:
    done = await client.post(f"/v1/clinic{query}", json={})
    read = await client.get(f"{done.headers['Location']}?dryRun=true")

    assert "Patchbay-Dry-Run" not in {**done.headers, **read.headers}
