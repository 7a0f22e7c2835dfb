"""`Prefer: merge`: a change that was made for an earlier version, merged with what came since."""

import uuid
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

from tests.api.conftest import problem_members

Client = TestClient[web.Request, web.Application]
CLINIC = {
    "name": "Foot clinic",
    "open": True,
    "phone": [{"value": "1111", "system": "phone"}, {"value": "2222", "system": "fax"}],
}
DIALECTS = [
    pytest.param("application/json", [{"op": "replace", "path": "name", "value": "Mine"}], id="plain"),
    pytest.param("application/json-patch+json", [{"op": "replace", "path": "/name", "value": "Mine"}], id="json-patch"),
    pytest.param("application/merge-patch+json", {"name": "Mine"}, id="merge-patch"),
]


@pytest.fixture(name="url")
async def make_clinic(client: Client) -> str:
    response = await client.post("/v1/clinic", json=CLINIC)
    return response.headers["Location"]


async def patch(
    client: Client, url: str, body: Any, media_type: str = "application/merge-patch+json", **headers: str
) -> ClientResponse:
    return await client.patch(url, json=body, headers={"Content-Type": media_type, **headers})


def based_on(version: int, prefer: str = "merge") -> dict[str, str]:
    return {"If-Match": f'"{version}"', "Prefer": prefer}


@pytest.mark.parametrize(("media_type", "body"), DIALECTS)
async def test_edits_of_different_members_are_merged(client: Client, url: str, media_type: str, body: Any) -> None:
    await patch(client, url, {"open": False, "fresh": 1})

    merged = await patch(client, url, body, media_type, **based_on(1))

    assert merged.status == 200, await merged.text()
    assert merged.headers["ETag"] == '"3"'
    assert merged.headers["Preference-Applied"] == "merge"
    shown = await merged.json()
    assert (shown["name"], shown["open"], shown["fresh"]) == ("Mine", False, 1)
    assert await (await client.get(url)).json() == shown


async def test_a_replacement_is_merged_and_takes_away_only_what_its_author_did(client: Client, url: str) -> None:
    read = await (await client.get(url)).json()
    await patch(client, url, {"fresh": 1})

    merged = await client.put(url, json={**read, "open": False, "phone": read["phone"][:1]}, headers=based_on(1))

    shown = await merged.json()
    assert merged.status == 200, shown
    assert (shown["open"], shown["fresh"], len(shown["phone"])) == (False, 1, 1)


async def test_both_additions_to_a_list_and_edits_of_its_items_are_kept(client: Client, url: str) -> None:
    add = {"op": "add", "path": "/phone/-", "value": {"value": "3333", "system": "phone"}}
    await patch(client, url, [add], "application/json-patch+json")
    edits = [
        {"op": "replace", "path": "/phone/0/value", "value": "9999"},
        {"op": "add", "path": "/phone/-", "value": {"value": "4444", "system": "pager"}},
    ]

    merged = await patch(client, url, edits, "application/json-patch+json", **based_on(1))

    phones = (await merged.json())["phone"]
    assert sorted(each["value"] for each in phones) == ["2222", "3333", "4444", "9999"]
    assert len({each["id"] for each in phones}) == 4


async def test_ids_given_since_to_items_that_had_none_are_no_conflict(client: Client) -> None:
    kind = f"t{uuid.uuid4().hex[:12]}"
    made = await client.post(f"/v1/{kind}", json={"bed": [{"value": "1"}]})
    has_ids = {"properties": {"bed": {"items": {"required": ["id"]}}}}
    await client.put(f"/types/{kind}", json={"identifiedLists": ["bed"], "schema": has_ids})
    url = made.headers["Location"]
    changed = await (await patch(client, url, {"fresh": 1})).json()

    add = [{"op": "add", "path": "bed/-", "value": {"value": "2"}}]
    merged = await patch(client, url, add, "application/json", **based_on(1))

    assert merged.status == 200, await merged.text()
    shown = await merged.json()
    assert (shown["fresh"], shown["bed"][0]) == (1, changed["bed"][0])
    assert (len(shown["bed"]), shown["bed"][1]["value"]) == (2, "2")
    assert shown["bed"][1]["id"].startswith("bed-")


async def test_conflicts_are_listed_and_nothing_is_written(client: Client, url: str) -> None:
    await patch(client, url, {"name": "Theirs", "open": None})

    refused = await patch(client, url, {"name": "Mine", "open": "soon", "other": 1}, **based_on(1))

    problem = await refused.json()
    assert refused.status == 412
    assert problem["code"] == "version-conflict"
    assert problem.keys() <= await problem_members(client)
    assert refused.headers["ETag"] == '"2"'
    assert sorted(problem["conflicts"], key=lambda each: str(each["path"])) == [
        {"path": "/name", "kind": "modify/modify", "base": "Foot clinic", "edit1": "Mine", "edit2": "Theirs"},
        {"path": "/open", "kind": "modify/delete", "base": True, "edit1": "soon"},
    ]
    assert (await client.get(url)).headers["ETag"] == '"2"'


async def test_the_same_change_again_makes_no_version(client: Client, url: str) -> None:
    await patch(client, url, {"name": "Mine"})

    merged = await patch(client, url, {"name": "Mine"}, **based_on(1))

    assert merged.status == 200
    assert merged.headers["ETag"] == '"2"'


async def test_a_version_that_stands_needs_no_merging(client: Client, url: str) -> None:
    changed = await patch(client, url, {"name": "Mine"}, **based_on(1))

    assert changed.status == 200
    assert "Preference-Applied" not in changed.headers


async def test_it_goes_with_the_other_preference_and_a_dry_run(client: Client, url: str) -> None:
    await patch(client, url, {"open": False})

    tried = await patch(client, f"{url}?dryRun=true", {"name": "Mine"}, **based_on(1))
    done = await patch(client, url, {"name": "Mine"}, **based_on(1, "merge, return=minimal"))

    assert (await tried.json())["name"] == "Mine"
    assert done.status == 204
    assert done.headers["ETag"] == '"3"'
    assert done.headers["Preference-Applied"] == "merge, return=minimal"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"If-Match": '"1"'}, 412, id="not wished for"),
        pytest.param({"If-Match": '"7"', "Prefer": "merge"}, 412, id="a version there never was"),
        pytest.param({"If-Match": '"x"', "Prefer": "merge"}, 412, id="no version"),
        pytest.param({"If-Match": '"1", "7"', "Prefer": "merge"}, 412, id="several versions"),
    ],
)
async def test_without_one_earlier_version_nothing_is_merged(
    client: Client, url: str, headers: dict[str, str], status: int
) -> None:
    await patch(client, url, {"open": False})

    refused = await patch(client, url, {"name": "Mine"}, **headers)

    assert refused.status == status
    assert "conflicts" not in await refused.json()


async def test_a_schema_holds_for_what_comes_of_it(client: Client) -> None:
    kind = f"t{uuid.uuid4().hex[:8]}"
    schema = {"type": "object", "maxProperties": 2}
    assert (await client.put(f"/types/{kind}", json={"schema": schema})).status in (200, 201)
    url = (await client.post(f"/v1/{kind}", json={"a": 1})).headers["Location"]
    await patch(client, url, {"b": 1})

    refused = await patch(client, url, {"c": 1}, **based_on(1))

    assert refused.status == 422
    assert (await refused.json())["code"] == "schema-violation"


async def test_the_other_condition_still_holds(client: Client, url: str) -> None:
    await patch(client, url, {"fresh": 1})

    refused = [
        await patch(client, url, {"name": "x"}, **based_on(1), **{"If-None-Match": tag}) for tag in ("*", '"7", "2"')
    ]
    merged = await patch(client, url, {"name": "x"}, **based_on(1), **{"If-None-Match": '"7"'})

    assert [(each.status, (await each.json())["code"]) for each in refused] == [(412, "version-conflict")] * 2
    assert (merged.status, merged.headers["ETag"]) == (200, '"3"')
