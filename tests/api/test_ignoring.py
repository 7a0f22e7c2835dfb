"""What `compare` and the merges leave out because of their options, from outside."""

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

Client = TestClient[web.Request, web.Application]
ROWS = {"l": [{"x": 0}, {"x": 0}, {"x": 1}]}
CHANGED_ROWS = {"l": [{"x": 5}, {"x": 0}, {"x": 1.01}]}
CHANGE = {"dx_delta": {"A": 1, "B": 1.01}}


def inline(**documents: Any) -> dict[str, Any]:
    return {name: {"type": "inline", "value": value} for name, value in documents.items()}


async def compare(client: Client, a: Any, b: Any, **more: Any) -> tuple[str, Any]:
    response = await client.post("/api/json/v1/compare", json={**inline(a=a, b=b), **more})
    assert response.status == 200, await response.text()
    envelope = (await response.json())["dx_deltaJSON"]
    return envelope["dx_data_sets"], envelope["dx_deltaJSON_delta"]


@pytest.mark.parametrize(
    ("before", "after", "delta"),
    [
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": [1]}, {"a": {"dx_delta": {"A": {"b": 1}}}}, id="gone with a type"),
        pytest.param({"a": [1]}, {"a": {"b": 1}}, {"a": {"dx_delta": {"B": {"b": 1}}}}, id="come with a type"),
        pytest.param(5, {"a": {"b": 1}}, {"dx_delta": {"B": {"a": {"b": 1}}}}, id="come with the root"),
        pytest.param({"a": {"b": 1}}, 5, {"dx_delta": {"A": {"a": {"b": 1}}}}, id="gone with the root"),
    ],
)
async def test_what_only_names_is_compared_whatever_stands_around_it(
    client: Client, before: Any, after: Any, delta: Any
) -> None:
    assert await compare(client, before, after, dxConfig=[{"only": "/a/b"}]) == ("A!=B", delta)


@pytest.mark.parametrize(
    ("before", "after", "delta"),
    [
        pytest.param({}, {"a": {"c": 2}}, {}, id="a member more"),
        pytest.param({"a": {"c": 2}}, {"a": [3]}, {"a": {}}, id="another type"),
        pytest.param(5, [1], 5, id="another root"),
    ],
)
async def test_what_lies_outside_only_makes_no_difference(client: Client, before: Any, after: Any, delta: Any) -> None:
    assert await compare(client, before, after, dxConfig=[{"only": "/a/b"}]) == ("A=B", delta)


async def test_places_of_items_are_those_of_the_document(client: Client) -> None:
    """What is left of an array keeps its indexes, whatever was left out before it."""
    named = {"l": [{"x": CHANGE}]}
    rest = {"l": [{"x": 0}, {"x": 1}]}
    options = [{"ignoreChanges": "delete", "path": "/l/0"}, {"tolerance": 0.1, "path": "/l/2"}]

    assert await compare(client, ROWS, CHANGED_ROWS, dxConfig=[{"only": "/l/2/x"}]) == ("A!=B", named)
    assert await compare(client, ROWS, CHANGED_ROWS, dxConfig=options) == ("A=B", rest)


async def test_an_item_without_keys_is_pointed_at_in_the_document(client: Client) -> None:
    body = {
        **inline(a={"l": [{"x": 0}, {"y": 1}]}, b={"l": [{"x": 0}, {"id": 2}]}),
        "dxConfig": [{"ignoreChanges": "delete", "path": "/l/0"}],
        "arrayAlignment": "keyed",
        "keys": ["id"],
    }

    response = await client.post("/api/json/v1/compare", json=body)

    problem = await response.json()
    assert (response.status, [(each["input"], each["pointer"]) for each in problem["errors"]]) == (422, [("a", "/l/1")])
    assert "The item /1 lacks a key" in problem["detail"]


@pytest.mark.parametrize("route", ["compare", "patch", "merge", "three-way-merge"])
async def test_integers_beyond_doubles_are_near_no_fraction(client: Client, route: str) -> None:
    documents = {"a": [10**400], "b": [1.5], "ancestor": [10**400], "edit1": [1.5], "edit2": [2]}
    names = ["ancestor", "edit1", "edit2"] if route == "three-way-merge" else ["a", "b"]
    body = {**inline(**{name: documents[name] for name in names}), "tolerance": 0.5}

    response = await client.post(f"/api/json/v1/{route}", json={**body, "arrayAlignment": "positionPriority"})

    assert response.status == 200, await response.text()
