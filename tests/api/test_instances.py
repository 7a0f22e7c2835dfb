"""Two instances on one database: what one defines, the other lives by."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from service.app import create_app
from service.settings import Settings

Client = TestClient[web.Request, web.Application]
_FRESH_S = 1.05
"""How long an instance may live by what it last knew of types, and a little more."""


@pytest.fixture(name="other")
async def make_other(aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings) -> Client:
    """Another instance."""
    return await aiohttp_client(create_app(settings))


async def test_a_definition_reaches_other_instances_within_a_second(client: Client, other: Client) -> None:
    kind = f"t{uuid.uuid4().hex[:12]}"
    assert (await other.post(f"/v1/{kind}", json={})).status == 201
    await client.put(f"/types/{kind}", json={"schema": {"required": ["name"]}})

    await asyncio.sleep(_FRESH_S)
    refused = await other.post(f"/v1/{kind}", json={})
    await client.delete(f"/types/{kind}")
    await asyncio.sleep(_FRESH_S)
    accepted = await other.post(f"/v1/{kind}", json={})

    assert (refused.status, accepted.status) == (422, 201)


async def test_a_contained_type_shows_on_parents_everywhere(client: Client, other: Client) -> None:
    kind = f"t{uuid.uuid4().hex[:12]}"
    made = await (await client.post(f"/v1/{kind}", json={})).json()
    await client.put(f"/types/{kind}-c", json={"parent": {"type": kind, "property": "up", "as": "below"}})
    await client.post(f"/v1/{kind}-c", json={"up": made["id"]})

    await asyncio.sleep(_FRESH_S)
    shown = await (await other.get(f"/v1/{kind}/{made['id']}")).json()

    assert len(shown["below"]) == 1
    await client.delete(f"/types/{kind}-c")


async def test_instances_take_turns_with_a_parent(client: Client, other: Client) -> None:
    kind = f"t{uuid.uuid4().hex[:12]}"
    made = await (await client.post(f"/v1/{kind}", json={})).json()
    await client.put(f"/types/{kind}-c", json={"parent": {"type": kind, "property": "up", "as": "below"}})
    await asyncio.sleep(_FRESH_S)

    answers = await asyncio.gather(
        *(each.post(f"/v1/{kind}-c", json={"up": made["id"]}) for each in (client, other) for _ in range(8)),
        client.delete(f"/v1/{kind}/{made['id']}"),
    )

    children, deleted = answers[:-1], answers[-1]
    entered = [each for each in children if each.status == 201]
    assert {each.status for each in children} <= {201, 422}
    assert deleted.status == (409 if entered else 204)
    if entered:
        shown = await (await other.get(f"/v1/{kind}/{made['id']}")).json()
        assert len(shown["below"]) == len(entered)
    await client.delete(f"/types/{kind}-c")
