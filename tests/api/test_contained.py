"""Contained resources: their own URLs, their parent checked, shown on it, kept and deleted with it."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

from service.store.contained import MongoContained
from service.usecases import presenting, resources

Client = TestClient[web.Request, web.Application]
Starter = Callable[..., Awaitable[Client]]
JSON = {"Content-Type": "application/json"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
MERGE = {"Content-Type": "application/merge-patch+json"}


class Kinds(NamedTuple):
    parent: str
    child: str


async def problem(response: ClientResponse, status: int, code: str) -> Any:
    body = await response.json()
    assert (response.status, body["code"]) == (status, code), body
    return body


@pytest.fixture(name="kinds")
async def make_kinds(client: Client) -> AsyncIterator[Kinds]:
    """Two types of the test's own, the second contained in the first."""
    mark = uuid.uuid4().hex[:12]
    kinds = Kinds(f"c{mark}", f"p{mark}")
    parent = {"type": kinds.parent, "property": "clinic", "as": "practices"}
    assert (await client.put(f"/types/{kinds.child}", json={"parent": parent})).status == 201
    yield kinds
    await client.delete(f"/types/{kinds.child}")


async def make(client: Client, kind: str, **content: Any) -> Any:
    response = await client.post(f"/v1/{kind}", json=content)
    assert response.status == 201, await response.text()
    return await response.json()


async def test_a_parent_shows_what_it_contains(client: Client, kinds: Kinds) -> None:
    clinic = await make(client, kinds.parent, name="x")
    empty = await (await client.get(f"/v1/{kinds.parent}/{clinic['id']}")).json()
    practices = [await make(client, kinds.child, clinic=clinic["id"], number=number) for number in range(3)]
    full = await (await client.get(f"/v1/{kinds.parent}/{clinic['id']}")).json()

    assert clinic["practices"] == empty["practices"] == []
    assert full["practices"] == practices
    assert await (await client.get(f"/v1/{kinds.child}/{practices[1]['id']}")).json() == practices[1]
    assert await (await client.get(f"/resources/{clinic['id']}")).json() == full


async def test_what_a_parent_shows_is_never_stale(client: Client, kinds: Kinds) -> None:
    clinic = await make(client, kinds.parent)
    path = f"/v1/{kinds.parent}/{clinic['id']}"
    await make(client, kinds.child, clinic=clinic["id"])

    answer = await client.get(path, headers={"If-None-Match": '"1"'})

    assert answer.status == 200
    assert len((await answer.json())["practices"]) == 1


@pytest.mark.parametrize("clinic", [None, 5, "", "none", ["x"]])
async def test_the_parent_must_exist(client: Client, kinds: Kinds, clinic: Any) -> None:
    body = await problem(await client.post(f"/v1/{kinds.child}", json={"clinic": clinic}), 422, "schema-violation")

    assert body["errors"][0]["pointer"] == "/clinic"


async def test_the_parent_must_be_of_its_type_and_there(client: Client, kinds: Kinds) -> None:
    other = await make(client, "elsewhere")
    gone = await make(client, kinds.parent)
    await client.delete(f"/v1/{kinds.parent}/{gone['id']}")

    for parent in (other, gone):
        answer = await client.post(f"/v1/{kinds.child}", json={"clinic": parent["id"]})
        await problem(answer, 422, "schema-violation")


async def test_a_contained_resource_moves_to_another_parent(client: Client, kinds: Kinds) -> None:
    first, second = [await make(client, kinds.parent) for _ in range(2)]
    practice = await make(client, kinds.child, clinic=first["id"])
    path = f"/v1/{kinds.child}/{practice['id']}"

    moved = await client.patch(path, json=[{"op": "replace", "path": "clinic", "value": second["id"]}])
    lost = await client.patch(path, json={"clinic": "none"}, headers=MERGE)
    orphan = await client.patch(path, json={"clinic": None}, headers=MERGE)

    assert moved.status == 200
    await problem(lost, 422, "schema-violation")
    await problem(orphan, 422, "schema-violation")
    shown = [await (await client.get(f"/v1/{kinds.parent}/{each['id']}")).json() for each in (first, second)]
    assert [len(each["practices"]) for each in shown] == [0, 1]


async def test_the_relationship_is_read_only_on_the_parent(client: Client, kinds: Kinds) -> None:
    clinic = await make(client, kinds.parent, name="x")
    await make(client, kinds.child, clinic=clinic["id"])
    path = f"/v1/{kinds.parent}/{clinic['id']}"
    read = await (await client.get(path)).json()

    refused = [
        await client.patch(path, json=[{"op": "add", "path": "practices", "value": []}]),
        await client.patch(path, json=[{"op": "replace", "path": "practices/0", "value": {}}]),
        await client.patch(path, json=[{"op": "remove", "path": "/practices/0/id"}], headers=JSON_PATCH),
        await client.patch(path, json=[{"op": "move", "from": "/name", "path": "/practices"}], headers=JSON_PATCH),
        await client.patch(path, json={"practices": []}, headers=MERGE),
        await client.patch(path, json={"practices": None, "name": "y"}, headers=MERGE),
        await client.put(path, json={**read, "practices": []}),
        await client.post(f"/v1/{kinds.parent}", json={"practices": []}),
    ]
    put_back = await client.put(path, json=read)

    for each in refused:
        body = await problem(each, 422, "immutable-property")
        assert body["errors"][0]["pointer"] == "/practices"
    assert (put_back.status, put_back.headers["ETag"]) == (200, '"1"')


async def test_pointers_to_names_with_slashes_are_such(client: Client, kinds: Kinds) -> None:
    parent = {"type": kinds.parent, "property": "up/~", "as": "below/~"}
    await client.put(f"/types/{kinds.child}", json={"parent": parent})
    clinic = await make(client, kinds.parent)

    orphan = await problem(await client.post(f"/v1/{kinds.child}", json={"up/~": "x"}), 422, "schema-violation")
    wrong = await client.put(f"/v1/{kinds.parent}/{clinic['id']}", json={"below/~": 5})

    assert orphan["errors"][0]["pointer"] == "/up~1~0"
    assert (await problem(wrong, 422, "immutable-property"))["errors"][0]["pointer"] == "/below~1~0"


async def test_a_parent_that_contains_something_stays(client: Client, kinds: Kinds) -> None:
    clinic = await make(client, kinds.parent)
    practice = await make(client, kinds.child, clinic=clinic["id"])
    path = f"/v1/{kinds.parent}/{clinic['id']}"

    await problem(await client.delete(path), 409, "still-referenced")
    await client.delete(f"/v1/{kinds.child}/{practice['id']}")

    assert (await client.delete(path)).status == 204


async def test_a_cascade_deletes_all_together(client: Client, kinds: Kinds) -> None:
    clinic = await make(client, kinds.parent)
    practice = await make(client, kinds.child, clinic=clinic["id"])
    path = f"/v1/{kinds.parent}/{clinic['id']}"

    dry = await client.delete(f"{path}?cascade=true&dryRun=true")
    wrong = await client.delete(f"{path}?cascade=true", headers={"If-Match": '"9"'})
    between = await client.get(f"/v1/{kinds.child}/{practice['id']}")
    done = await client.delete(f"{path}?cascade=true")

    assert (dry.status, between.status, done.status) == (204, 200, 204)
    await problem(wrong, 412, "version-conflict")
    assert (await client.get(f"/v1/{kinds.child}/{practice['id']}")).status == 410
    back = await client.post(f"/v1/{kinds.child}/{practice['id']}/revert", json={"version": 1})
    await problem(back, 422, "schema-violation")
    await client.post(f"{path}/revert", json={"version": 1})
    assert (await client.post(f"/v1/{kinds.child}/{practice['id']}/revert", json={"version": 1})).status == 200


@pytest.fixture(name="meanwhile")
def do_between(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Awaitable[Any]]], None]:
    """Have something done once, right after it was looked up what a cascade is to delete."""
    look_up = MongoContained.find_contained

    def between(action: Callable[[], Awaitable[Any]]) -> None:
        async def find_contained(self: MongoContained, *asked: Any, limit: int) -> Any:
            found = await look_up(self, *asked, limit=limit)
            if limit == resources._CASCADED_AT_ONCE:
                monkeypatch.setattr(MongoContained, "find_contained", look_up)
                await action()
            return found

        monkeypatch.setattr(MongoContained, "find_contained", find_contained)

    return between


async def test_a_cascade_goes_on_where_something_has_gone_by_itself(
    client: Client, kinds: Kinds, meanwhile: Any
) -> None:
    clinic = await make(client, kinds.parent)
    paths = [f"/v1/{kinds.child}/{(await make(client, kinds.child, clinic=clinic['id']))['id']}" for _ in range(3)]
    meanwhile(lambda: client.delete(paths[0]))

    done = await client.delete(f"/v1/{kinds.parent}/{clinic['id']}?cascade=true")

    assert done.status == 204
    assert [(await client.get(path)).status for path in paths] == [410, 410, 410]


async def test_a_cascade_spares_what_has_moved_to_another_parent(client: Client, kinds: Kinds, meanwhile: Any) -> None:
    clinic, other = await make(client, kinds.parent), await make(client, kinds.parent)
    paths = [f"/v1/{kinds.child}/{(await make(client, kinds.child, clinic=clinic['id']))['id']}" for _ in range(2)]
    moved = json.dumps({"clinic": other["id"]})
    meanwhile(lambda: client.patch(paths[0], data=moved, headers=MERGE))

    done = await client.delete(f"/v1/{kinds.parent}/{clinic['id']}?cascade=true")

    assert done.status == 204
    assert [(await client.get(path)).status for path in paths] == [200, 410]


async def test_one_of_a_kind(client: Client, kinds: Kinds) -> None:
    parent = {"type": kinds.parent, "property": "clinic", "as": "owner", "many": False}
    await client.put(f"/types/{kinds.child}", json={"parent": parent})
    clinic = await make(client, kinds.parent)

    answers = await asyncio.gather(
        *(client.post(f"/v1/{kinds.child}", json={"clinic": clinic["id"]}) for _ in range(5))
    )

    assert sorted(each.status for each in answers) == [201, 409, 409, 409, 409]
    read = await (await client.get(f"/v1/{kinds.parent}/{clinic['id']}")).json()
    assert clinic["owner"] is None
    assert read["owner"] == await next(each for each in answers if each.status == 201).json()
    changed = await client.patch(f"/v1/{kinds.child}/{read['owner']['id']}", json={"n": 1}, headers=MERGE)
    assert changed.status == 200


async def test_types_cannot_contain_themselves(client: Client, kinds: Kinds) -> None:
    own = {"type": kinds.parent, "property": "x", "as": "y"}
    around = {"type": kinds.child, "property": "x", "as": "y"}

    await problem(await client.put(f"/types/{kinds.parent}", json={"parent": own}), 400, "invalid-request")
    await problem(await client.put(f"/types/{kinds.parent}", json={"parent": around}), 400, "invalid-request")


async def test_two_types_cannot_be_shown_under_one_name(client: Client, kinds: Kinds) -> None:
    parent = {"type": kinds.parent, "property": "x", "as": "practices"}

    await problem(await client.put(f"/types/{kinds.child}-2", json={"parent": parent}), 400, "invalid-request")


async def test_what_another_instance_defined_a_moment_ago_counts(start: Starter) -> None:
    one, other = await start(), await start()
    name = f"c{uuid.uuid4().hex[:12]}"
    parent = {"type": name, "property": "x", "as": "practices"}
    assert (await other.get(f"/v1/{name}")).status == 200
    assert (await one.put(f"/types/{name}-1", json={"parent": parent})).status == 201

    await problem(await other.put(f"/types/{name}-2", json={"parent": parent}), 400, "invalid-request")

    await one.delete(f"/types/{name}-1")


async def test_types_defined_at_the_same_moment_are_not_contained_in_each_other(start: Starter) -> None:
    one, other = await start(), await start()

    async def define(client: Client, name: str, above: str) -> int:
        parent = {"type": above, "property": "x", "as": "below"}
        return (await client.put(f"/types/{name}", json={"parent": parent})).status

    for _ in range(10):
        name = f"c{uuid.uuid4().hex[:12]}"
        statuses = await asyncio.gather(
            define(one, f"{name}-1", f"{name}-2"),
            define(other, f"{name}-2", f"{name}-3"),
            define(one, f"{name}-3", f"{name}-1"),
        )
        assert sorted(statuses) == [201, 201, 400]


async def test_a_member_does_not_name_a_parent_and_show_what_is_contained(client: Client, kinds: Kinds) -> None:
    """Neither could be written: resources of the type could not be made."""
    below = {"type": kinds.child, "property": "x", "as": "clinic"}
    above = {"type": "country", "property": "practices", "as": "clinics"}

    from_below = await problem(
        await client.put(f"/types/{kinds.child}-2", json={"parent": below}), 400, "invalid-request"
    )
    from_above = await problem(
        await client.put(f"/types/{kinds.parent}", json={"parent": above}), 400, "invalid-request"
    )

    assert [each["errors"][0]["field"] for each in (from_below, from_above)] == ["parent.as", "parent.property"]


async def test_what_is_contained_is_shown_in_place_of_a_member_from_before(client: Client, kinds: Kinds) -> None:
    """An answer with both would have a name twice."""
    old, kind = await make(client, f"{kinds.parent}-2", name="x", practices=["old"], deep={"practices": 1}), kinds.child
    path = f"/v1/{kinds.parent}-2/{old['id']}"
    parent = {"type": f"{kinds.parent}-2", "property": "clinic", "as": "practices"}
    await client.put(f"/types/{kind}", json={"parent": parent})
    practice = await make(client, kind, clinic=old["id"])

    texts = [
        await (await client.get(each)).text() for each in (path, f"/v1/{kinds.parent}-2", f"/resources/{old['id']}")
    ]
    changed = await client.patch(path, json=[{"op": "replace", "path": "name", "value": "y"}])
    refused = await client.patch(path, json={"practices": ["new"]}, headers=MERGE)
    put_back = await client.put(path, data=await (await client.get(path)).read(), headers=JSON)
    stood = await (await client.get(f"{path}?version=2")).json()

    assert [text.count('"practices"') for text in texts] == [2, 2, 2]
    assert json.loads(texts[0]) == {**old, "practices": [practice]}
    await problem(refused, 422, "immutable-property")
    assert [(each.status, (await each.json())["name"]) for each in (changed, put_back)] == [(200, "y"), (200, "y")]
    assert stood["practices"] == ["old"]
    assert "practices" not in await (await client.get(f"{path}?version=3")).json()


@pytest.mark.parametrize("round_number", range(10))
async def test_nothing_is_left_without_its_parent(client: Client, kinds: Kinds, round_number: int) -> None:
    """Children enter while the parent is deleted: either they keep it, or they come too late."""
    clinic = await make(client, kinds.parent)
    path = f"/v1/{kinds.parent}/{clinic['id']}"
    children = [client.post(f"/v1/{kinds.child}", json={"clinic": clinic["id"]}) for _ in range(4)]

    answers = await asyncio.gather(*children[: round_number % 3], client.delete(path), *children[round_number % 3 :])

    deleted = [each for each in answers if each.status in (204, 409)]
    entered = [each for each in answers if each.status == 201]
    assert {each.status for each in answers} <= {201, 204, 409, 422}
    assert len(deleted) == 1
    assert (deleted[0].status == 204) == (not entered)
    read = await client.get(path)
    assert read.status == (410 if not entered else 200)


async def test_a_page_whose_resources_contain_too_much_is_refused(
    client: Client, kinds: Kinds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presenting, "_MAX_CONTAINED_ON_PAGE", 3)
    for _ in range(2):
        clinic = await make(client, kinds.parent)
        for _ in range(2):
            await make(client, kinds.child, clinic=clinic["id"])

    body = await problem(await client.get(f"/v1/{kinds.parent}"), 422, "too-large")
    shorter = await client.get(f"/v1/{kinds.parent}?limit=1")
    without = await client.get(f"/v1/{kinds.parent}?fields=name")

    assert "limit" in body["detail"]
    assert [len(each["practices"]) for each in await shorter.json()] == [2]
    assert len(await without.json()) == 2
