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


@pytest.mark.parametrize("alignment", ["orderless", "inOrder", "positionPriority", "typeWithValuePriority"])
async def test_numbers_in_arrays_that_are_near_are_equal(client: Client, alignment: str) -> None:
    near = {"x": [1.0, 2.0], "y": [[5.0]]}, {"x": [1.001, 2.0], "y": [[4.999]]}

    assert await compare(client, *near, tolerance=0.1, arrayAlignment=alignment) == ("A=B", near[0])


async def test_numbers_are_near_wherever_they_stand_and_in_their_place_alone(client: Client) -> None:
    change = {"dx_delta": {"A": 1.0}}, {"dx_delta": {"B": 1.001}}
    options = [{"path": "/near/*", "tolerance": 0.1}, {"path": "/near/2", "tolerance": 0}]

    assert await compare(client, [3, 1.0, 2, "x"], ["x", 2.001, 2.95, 1], tolerance=0.1) == ("A=B", [3, 1.0, 2, "x"])
    assert await compare(client, {"far": [1.0]}, {"far": [1.001]}, dxConfig=options) == ("A!=B", {"far": [*change]})
    assert await compare(client, {"near": [0, 0, 1.0]}, {"near": [0, 0, 1.001]}, dxConfig=options) == (
        "A!=B",
        {"near": [0, 0, *change]},
    )


async def test_numbers_that_are_near_are_merged_into_one(client: Client) -> None:
    body = {**inline(a=[1.0, 2], b=[2.01, 1.001]), "tolerance": 0.1, "mergePriority": "b"}

    response = await client.post("/api/json/v1/merge", json=body)

    assert await response.json() == [1.001, 2.01]


NO_IG = [{"ignoreChanges": "delete", "key": "ig"}]
ONLY_B = [{"only": "/a/b"}]
NO_FIRST = [{"ignoreChanges": "delete", "path": "/l/0"}]
NEAR = [{"tolerance": 0.1}]
THREE_WAYS = {
    "one edit": (NO_IG, {"x": 1, "ig": 1}, {"x": 1, "ig": 1}, {"x": 2, "ig": 9}, {"x": 2, "ig": 1}),
    "both edits": (NO_IG, {"x": 1, "y": 1, "ig": 1}, {"x": 2, "y": 1}, {"x": 1, "y": 2, "ig": 9},
                   {"x": 2, "y": 2, "ig": 1}),
    "gone and otherwise ignored": (NO_IG, {"o": {"ig": 1}}, {}, {"o": {"ig": 2}}, {}),
    "in an item": (NO_IG, [{"id": 1, "n": 1, "ig": 1}], [{"id": 1, "n": 2, "ig": 2}], [{"id": 1, "n": 1}],
                   [{"id": 1, "n": 2, "ig": 1}]),
    "in what is new": (NO_IG, {}, {"o": {"x": 1, "ig": 2}}, {}, {"o": {"x": 1}}),
    "outside only": (ONLY_B, {"a": {"b": 1, "c": 1}, "z": 1}, {"z": 2}, {"a": {"b": 1, "c": 3}, "z": 3},
                     {"a": {"c": 1}, "z": 1}),
    "an item": (NO_FIRST, {"l": [1, 2, 3]}, {"l": [9, 2, 3, 4]}, {"l": [8, 2]}, {"l": [1, 2, 4]}),
    "gone and near": (NEAR, {"o": {"x": 1.0}}, {}, {"o": {"x": 1.05}}, {}),
}  # fmt: skip
"""Instructions, ancestor, edits, and what is expected: what is ignored stays as the ancestor has it."""


@pytest.mark.parametrize("name", THREE_WAYS)
async def test_what_is_ignored_stays_as_the_ancestor_has_it(client: Client, name: str) -> None:
    instructions, ancestor, edit1, edit2, expected = THREE_WAYS[name]
    body = {**inline(ancestor=ancestor, edit1=edit1, edit2=edit2), "dxConfig": instructions}

    response = await client.post("/api/json/v1/three-way-merge", json=body)

    envelope = (await response.json())["dx_deltaJSON"]
    assert (envelope["dx_deltaJSON_delta"], envelope["dx_data_sets"]) == (expected, "A=B")


@pytest.mark.parametrize(
    ("instructions", "a", "b", "of_a", "of_b"),
    [
        pytest.param(NO_IG, {}, {"o": {"x": 1, "ig": 2}}, {"o": {"x": 1}}, {"o": {"x": 1, "ig": 2}}, id="a member"),
        pytest.param(NO_IG, [], [{"x": 1, "ig": 2}], [{"x": 1}], [{"x": 1, "ig": 2}], id="in an item"),
        pytest.param(NO_FIRST, {"l": [1, 2]}, {"l": [9, 2]}, {"l": [1, 2]}, {"l": [9, 2]}, id="an item"),
        pytest.param(ONLY_B, {}, {"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, id="outside only"),
    ],
)
async def test_what_is_ignored_comes_from_the_preferred_side(
    client: Client, instructions: Any, a: Any, b: Any, of_a: Any, of_b: Any
) -> None:
    body = {**inline(a=a, b=b), "dxConfig": instructions}

    answers = [
        await (await client.post("/api/json/v1/merge", json={**body, "mergePriority": priority})).json()
        for priority in ("a", "b")
    ]

    assert answers == [of_a, of_b]


@pytest.mark.parametrize("route", ["merge", "compare", "three-way-merge"])
async def test_items_that_are_ignored_need_no_keys(client: Client, route: str) -> None:
    array = [{"x": 0}, {"id": 2}]
    names = ["ancestor", "edit1", "edit2"] if route == "three-way-merge" else ["a", "b"]
    options = {"dxConfig": [{"ignoreChanges": "delete", "path": "/0"}], "arrayAlignment": "keyed", "keys": ["id"]}

    response = await client.post(
        f"/api/json/v1/{route}", json={**inline(**{name: [*array, {"id": name}] for name in names}), **options}
    )

    assert response.status == 200, await response.text()
