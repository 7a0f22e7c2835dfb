"""The options of a comparison, from outside: as members of the request, as instructions, and as fields of a form."""

import json
from typing import Any

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient

from tests.api.conftest import Starter

Client = TestClient[web.Request, web.Application]
PATCH = "/api/json/v1/patch"

ITEMS = {"items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}]}
TURNED = {"items": [{"sku": "b", "n": 3}, {"sku": "a", "n": 1}]}
READING = {"at": 1, "reading": {"value": 20.04}}
LATER = {"at": 2, "reading": {"value": 20.05}}
LATER_ALONE = [{"op": "replace", "path": "/at", "value": 2}]

Case = tuple[dict[str, Any], Any, Any, list[dict[str, Any]]]
CASES: dict[str, Case] = {
    "by position": (
        {"arrayAlignment": "positionPriority"},
        [1, 2, 3],
        [0, 1, 2, 3],
        [
            {"op": "add", "path": "/3", "value": 3},
            {"op": "replace", "path": "/2", "value": 2},
            {"op": "replace", "path": "/1", "value": 1},
            {"op": "replace", "path": "/0", "value": 0},
        ],
    ),
    "tolerance": ({"tolerance": 0.1}, READING, LATER, LATER_ALONE),
    "moves": (
        {"moves": True},
        {"old": {"x": [1]}},
        {"new": {"x": [1]}},
        [{"op": "move", "from": "/old", "path": "/new"}],
    ),
    "invertible": (
        {"invertible": True},
        {"n": 1},
        {"n": 2},
        [{"op": "test", "path": "/n", "value": 1}, {"op": "replace", "path": "/n", "value": 2}],
    ),
    "tolerance at a place": (
        {"dxConfig": [{"path": "/reading/**", "tolerance": 0.1}]},
        READING,
        LATER,
        LATER_ALONE,
    ),
    "moves at a place": (
        {"dxConfig": [{"path": "/a", "moves": True}]},
        {"a": {"old": [1, 2]}, "b": {"old": [3, 4]}},
        {"a": {"new": [1, 2]}, "b": {"new": [3, 4]}},
        [
            {"op": "move", "from": "/a/old", "path": "/a/new"},
            {"op": "add", "path": "/b/new", "value": [3, 4]},
            {"op": "remove", "path": "/b/old"},
        ],
    ),
    "invertible at a place": (
        {"dxConfig": [{"path": "/a", "invertible": True}]},
        {"a": 1, "b": 1},
        {"a": 2, "b": 2},
        [
            {"op": "test", "path": "/a", "value": 1},
            {"op": "replace", "path": "/a", "value": 2},
            {"op": "replace", "path": "/b", "value": 2},
        ],
    ),
    "a place ignored": ({"dxConfig": [{"path": "/reading", "ignoreChanges": "delete"}]}, READING, LATER, LATER_ALONE),
    "one place only": ({"dxConfig": [{"only": "/at"}]}, READING, LATER, LATER_ALONE),
    "the last instruction for a place wins": (
        {"tolerance": 100, "dxConfig": [{"path": "/at", "tolerance": 0}]},
        READING,
        LATER,
        LATER_ALONE,
    ),
}


def inline(value: Any) -> dict[str, Any]:
    return {"type": "inline", "value": value}


@pytest.mark.parametrize("name", CASES)
async def test_option_is_honoured_in_json(client: Client, name: str) -> None:
    members, a, b, patch = CASES[name]

    response = await client.post(PATCH, json={"a": inline(a), "b": inline(b), **members})

    assert (response.status, await response.json()) == (200, patch)


@pytest.mark.parametrize("name", CASES)
async def test_option_is_honoured_in_a_form(client: Client, name: str) -> None:
    members, a, b, patch = CASES[name]
    form = FormData(default_to_multipart=True)
    for field, value in {"a": a, "b": b, **members}.items():
        form.add_field(field, value if isinstance(value, str) else json.dumps(value))

    response = await client.post(PATCH, data=form)

    assert (response.status, await response.json()) == (200, patch)


@pytest.mark.parametrize("engine", ["auto", "python"])
@pytest.mark.parametrize("name", [None, "old"], ids=["arrays", "objects"])
async def test_options_hold_in_the_deepest_documents(start: Starter, engine: str, name: str | None) -> None:
    client = await start(engine=engine)
    before: Any = 1
    after: Any = 2
    for _ in range(200):
        before, after = ([before], [after]) if name is None else ({name: before}, {name: after})
    path = ("/0" if name is None else f"/{name}") * 200
    instructions = [{"only": "/**"}, {"tolerance": 0.1, "path": "/**"}, {"ignoreChanges": "delete", "key": "x"}]

    response = await client.post(
        PATCH, json={"a": inline(before), "b": inline(after), "dxConfig": instructions, "moves": True}
    )

    assert await response.json() == [{"op": "replace", "path": path, "value": 2}]


async def test_items_are_followed_by_their_keys(client: Client) -> None:
    keyed = {"arrayAlignment": "keyed", "keys": ["sku"]}

    response = await client.post(PATCH, json={"a": inline(ITEMS), "b": inline(TURNED), "moves": True, **keyed})

    operations = await response.json()
    assert response.status == 200, operations
    assert {each["op"] for each in operations} == {"move", "replace"}
    assert [each["value"] for each in operations if each["op"] == "replace"] == [3]


async def test_a_key_that_lacks_is_pointed_at_in_its_own_input(client: Client) -> None:
    a = {"items": [{"sku": "a"}, {"sku": "b", "sizes": [{"sku": 1}]}]}
    b = {"items": [{"sku": "b", "sizes": [{}]}]}
    asked = {"arrayAlignment": "keyed", "keys": ["sku"]}

    refused = [
        await client.post(PATCH, json={**asked, "a": inline(a), "b": inline(b), "patchDirection": direction})
        for direction in ("aToB", "bToA")
    ]

    for each in refused:
        (fault,) = (await each.json())["errors"]
        assert (fault["input"], fault["pointer"]) == ("b", "/items/0/sizes/0")


async def test_keys_that_come_twice_are_refused_unless_a_fallback_is_asked_for(client: Client) -> None:
    twice = {"items": [{"sku": "a"}, {"sku": "a", "n": 1}]}
    asked = {"a": inline(ITEMS), "b": inline(twice), "arrayAlignment": "keyed", "keys": ["sku"]}

    refused = await client.post(PATCH, json=asked)
    problem = await refused.json()
    taken = await client.post(PATCH, json={**asked, "onKeyError": "inOrder"})

    assert (refused.status, problem["code"]) == (422, "array-keys")
    assert [each["pointer"] for each in problem["errors"]] == ["/items/1"]
    assert taken.status == 200
