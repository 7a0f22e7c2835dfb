"""Grants by type hold where one type shows, or takes down, another."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from yarl import URL

from service.access import secrets
from service.app import create_app
from service.keys import API_KEYS, FEED
from service.model import ApiKey, Role
from service.settings import Settings

Client = TestClient[web.Request, web.Application]


class Scene(NamedTuple):
    """A service with keys: an admin's headers, those of a writer of the parent type alone, a parent with one child."""

    client: Client
    admin: dict[str, str]
    writer: dict[str, str]
    parent: str
    child: str


async def make_key(client: Client, role: Role, types: tuple[str, ...] = ()) -> dict[str, str]:
    text = secrets.generate()
    key = ApiKey(
        id=text.id,
        digest=secrets.digest(text.secret),
        name=f"{role} of {types}",
        role=role,
        types=types,
        created_at="2026-01-01T00:00:00.000000Z",
    )
    await client.app[API_KEYS].insert(key)
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture(name="scene")
async def make_scene(aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings) -> Scene:
    client = await aiohttp_client(create_app(msgspec.structs.replace(settings, auth="keys")))
    kind = f"g{uuid.uuid4().hex[:12]}"
    admin, writer = await make_key(client, "admin"), await make_key(client, "writer", (kind,))
    definition = {"parent": {"type": kind, "property": "up", "as": "below"}}
    assert (await client.put(f"/types/{kind}-c", json=definition, headers=admin)).status == 201
    parent = await (await client.post(f"/v1/{kind}", json={}, headers=admin)).json()
    child = await (await client.post(f"/v1/{kind}-c", json={"up": parent["id"]}, headers=admin)).json()
    return Scene(client, admin, writer, f"/v1/{kind}/{parent['id']}", f"/v1/{kind}-c/{child['id']}")


async def test_who_follows_comes_past_events_that_are_not_for_them(scene: Scene) -> None:
    """Without a step beyond what it may not see, a reader with few grants would ask for the same page for ever."""
    page = f"/events?limit=1&after={await read_up(scene)}"
    for _ in range(3):
        assert (await scene.client.post(f"/v1/o{uuid.uuid4().hex[:8]}", json={}, headers=scene.admin)).status == 201
    mine = await (await scene.client.post(scene.parent.rpartition("/")[0], json={}, headers=scene.admin)).json()

    seen: list[dict[str, Any]] = []
    async with asyncio.timeout(60):
        while mine["id"] not in {event["resourceId"] for event in seen}:
            answer = await scene.client.get(page, headers=scene.writer)
            events = await answer.json()
            assert answer.status == 200, events
            seen += events
            page = str(URL(str(answer.links["next"]["url"])).relative())
            await asyncio.sleep(0.02)

    assert {event["resourceType"] for event in seen} == {scene.parent.split("/")[2]}


async def read_up(scene: Scene) -> int:
    """Wait until what happened before, here and in other tests, is in the feed; return the position behind it."""
    feed = scene.client.app[FEED]
    position = await feed.last_position()
    last = await (await scene.client.post(scene.parent.rpartition("/")[0], json={}, headers=scene.admin)).json()
    async with asyncio.timeout(60):
        while True:
            events = await feed.list_after(position, 500)
            position = events[-1].position if events else position
            if last["id"] in {event.resource_id for event in events}:
                return position
            await asyncio.sleep(0.02)


async def read(scene: Scene, path: str, headers: dict[str, str]) -> Any:
    return await (await scene.client.get(path, headers=headers)).json()


async def test_contained_resources_are_shown_to_those_with_a_grant(scene: Scene) -> None:
    by_id = f"/resources/{scene.parent.rpartition('/')[2]}"
    listed = scene.parent.rpartition("/")[0]

    assert len((await read(scene, scene.parent, scene.admin))["below"]) == 1
    assert "below" not in await read(scene, scene.parent, scene.writer)
    assert "below" not in await read(scene, by_id, scene.writer)
    assert ["below" in each for each in await read(scene, listed, scene.writer)] == [False]


async def test_a_change_shows_no_more_than_reading(scene: Scene) -> None:
    answer = await scene.client.put(scene.parent, json={"n": 1}, headers=scene.writer)

    assert answer.status == 200
    assert "below" not in await answer.json()


async def test_a_cascade_needs_the_grant(scene: Scene) -> None:
    kept = await scene.client.delete(scene.parent, headers=scene.writer)
    refused = await scene.client.delete(f"{scene.parent}?cascade=true", headers=scene.writer)
    between = await scene.client.get(scene.child, headers=scene.admin)
    done = await scene.client.delete(f"{scene.parent}?cascade=true", headers=scene.admin)

    assert (kept.status, refused.status, between.status, done.status) == (409, 403, 200, 204)


async def test_a_cascade_needs_the_grant_for_all_it_comes_to(scene: Scene) -> None:
    """It is refused before anything is deleted, and a dry run tells."""
    kind = scene.parent.split("/")[2]
    writer = await make_key(scene.client, "writer", (kind, f"{kind}-c"))
    definition = {"parent": {"type": f"{kind}-c", "property": "up", "as": "below"}}
    await scene.client.put(f"/types/{kind}-d", json=definition, headers=scene.admin)
    up = {"up": scene.parent.rpartition("/")[2]}
    youngest = await (await scene.client.post(f"/v1/{kind}-c", json=up, headers=scene.admin)).json()
    await scene.client.post(f"/v1/{kind}-d", json={"up": youngest["id"]}, headers=scene.admin)

    dry = await scene.client.delete(f"{scene.parent}?cascade=true&dryRun=true", headers=writer)
    refused = await scene.client.delete(f"{scene.parent}?cascade=true", headers=writer)
    between = await scene.client.get(scene.child, headers=writer)

    assert (dry.status, refused.status, between.status) == (403, 403, 200)


async def test_other_types_are_not_reached_by_id_or_as_inputs(scene: Scene) -> None:
    child_id = scene.child.rpartition("/")[2]

    by_id = await scene.client.get(f"/resources/{child_id}", headers=scene.writer)
    compared = await scene.client.post(
        "/api/json/v1/patch",
        json={"a": {"type": "resource", "id": child_id}, "b": {"type": "inline", "value": {}}},
        headers=scene.writer,
    )

    assert (by_id.status, compared.status) == (403, 403)


async def test_what_there_is_of_other_types_cannot_be_told(scene: Scene) -> None:
    """An identifier that exists and one that does not are answered alike."""
    kind = f"g{uuid.uuid4().hex[:12]}"
    secret = {"identifier": [{"system": "ssn", "value": "123"}]}
    assert (await scene.client.post(f"/v1/{kind}", json=secret, headers=scene.admin)).status == 201

    answers = []
    for reference in ("ssn|123", "ssn|124"):
        source = {"type": "resource", "id": reference, "resourceType": kind}
        body = {"a": source, "b": {"type": "inline", "value": {}}}
        answers.append(await scene.client.post("/api/json/v1/patch", json=body, headers=scene.writer))

    details = {(each.status, (await each.json())["detail"]) for each in answers}
    assert details == {(403, f"Input 'a': The caller has no grant for resources of type '{kind}'.")}


async def test_definitions_are_listed_to_those_with_a_grant(scene: Scene) -> None:
    kind = scene.parent.split("/")[2]
    await scene.client.put(f"/types/{kind}", json={}, headers=scene.admin)

    listed = await read(scene, "/types?limit=500", scene.writer)

    assert [each["type"] for each in listed] == [kind]


async def test_a_check_shows_no_more_than_reading(scene: Scene) -> None:
    path = f"/resources/{scene.parent.rpartition('/')[2]}/patches"
    record = {"definition": {"patch_id": "p", "payload": {"merge": {"n": 1}}}}
    assert (await scene.client.post(path, json=record, headers=scene.writer)).status == 201

    answer = await scene.client.post(f"{path}/p/check", headers=scene.writer)

    assert answer.status == 200
    assert "below" not in (await answer.json())["document"]


@pytest.mark.parametrize("cascade", ["", "?cascade=true"])
async def test_what_keeps_a_parent_is_named_to_those_with_a_grant(scene: Scene, cascade: str) -> None:
    child_type = scene.child.split("/")[2]

    answer = await scene.client.delete(scene.parent + cascade, headers=scene.writer)

    text = await answer.text()
    assert answer.status in (403, 409)
    assert child_type not in text
    assert "below" not in text


async def test_the_type_of_what_another_id_names_is_not_told(scene: Scene) -> None:
    child_type, child_id = scene.child.split("/")[2:]
    parent_type = scene.parent.split("/")[2]
    source = {"type": "resource", "id": child_id}
    creates = {"If-None-Match": "*"}

    answers = [
        await scene.client.get(f"/resources/{child_id}", headers=scene.writer),
        await scene.client.get(f"/resources/{child_id}/patches", headers=scene.writer),
        await scene.client.post("/api/json/v1/patch", json={"a": source, "b": source}, headers=scene.writer),
        await scene.client.put(f"/v1/{parent_type}/{child_id}", json={}, headers=scene.writer | creates),
    ]
    await scene.client.delete(scene.child, headers=scene.admin)
    answers.append(await scene.client.put(f"/v1/{parent_type}/{child_id}", json={}, headers=scene.writer | creates))

    assert [each.status for each in answers] == [403, 403, 403, 409, 409]
    assert [child_type in await each.text() for each in answers] == [False] * 5
