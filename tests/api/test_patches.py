"""Patches recorded, read, listed, checked, matched with what they fit."""

import json
from io import BytesIO
from typing import Any

import pytest
from yarl import URL

from tests.api.patches import CLINIC, RENAME, Client, act, fetch, follow, fresh_type, make, read, record, version_of


async def post(client: Client, resource_id: str, body: Any, **more: Any) -> Any:
    return await client.post(f"/resources/{resource_id}/patches", json=body, **more)


async def test_documented_sample_is_answered_to_the_letter(client: Client) -> None:
    resource_id = await make(client)
    definition = {"patch_id": "p-1", "description": "", "constraints": [], "payload": {}, "metadata": {}}

    response = await post(client, resource_id, {"definition": definition, "constraints": []})

    assert response.status == 201
    assert response.headers["Location"] == f"/resources/{resource_id}/patches/p-1"
    answer = await response.json()
    created_at = answer.pop("created_at")
    assert len(created_at) == len("2023-11-07T05:31:56.000000Z")
    assert answer == {
        "patch_id": "p-1",
        "resource_id": resource_id,
        "definition": definition,
        "created_by": "anonymous",
        "constraints": [],
        "status": "pending",
        "error": None,
    }


async def test_only_the_patch_id_is_required(client: Client) -> None:
    resource_id = await make(client)

    made = await record(client, resource_id, "least")

    assert made["definition"] == {
        "patch_id": "least",
        "description": "",
        "constraints": [],
        "payload": {},
        "metadata": {},
    }
    assert await fetch(client, resource_id, "/least") == made


async def test_same_content_again_is_the_same_record(client: Client) -> None:
    resource_id = await make(client)
    first = await post(client, resource_id, {"definition": {"patch_id": "p", "metadata": {"a": 1, "b": 2.0}}})

    again = await post(
        client, resource_id, {"constraints": [], "definition": {"metadata": {"b": 2, "a": 1}, "patch_id": "p"}}
    )

    assert (first.status, again.status) == (201, 200)
    assert await again.json() == await first.json()


@pytest.mark.parametrize(
    "other",
    [
        {"definition": {"patch_id": "p", "description": "x"}},
        {"definition": {"patch_id": "p", "metadata": {"a": True}}},
        {"definition": {"patch_id": "p"}, "constraints": [{"field": "a", "operator": "==", "value": 1}]},
    ],
)
async def test_other_content_under_the_same_id_is_refused(client: Client, other: Any) -> None:
    resource_id = await make(client)
    await post(client, resource_id, {"definition": {"patch_id": "p", "metadata": {}}})

    response = await post(client, resource_id, other)

    assert (response.status, (await response.json())["code"]) == (409, "patch-exists")


@pytest.mark.parametrize("patch_id", ["...", "..a", ".a", "a.", "a..", "é b/c%", "x" * 200])
async def test_a_patch_id_may_have_dots_and_signs(client: Client, patch_id: str) -> None:
    resource_id = await make(client)

    response = await post(client, resource_id, {"definition": {"patch_id": patch_id}})

    assert response.status == 201
    assert (await (await client.get(response.headers["Location"])).json())["patch_id"] == patch_id


async def test_one_patch_id_may_stand_on_two_resources(client: Client) -> None:
    for resource_id in (await make(client), await make(client)):
        await record(client, resource_id)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid-request"),
        ([], 400, "invalid-request"),
        ({"definition": {}}, 400, "invalid-request"),
        ({"definition": {"patch_id": ""}}, 400, "invalid-request"),
        ({"definition": {"patch_id": "."}}, 400, "invalid-request"),
        ({"definition": {"patch_id": ".."}}, 400, "invalid-request"),
        ({"definition": {"patch_id": "a\n"}}, 400, "invalid-request"),
        ({"definition": {"patch_id": ".\n"}}, 400, "invalid-request"),
        ({"definition": {"patch_id": "a\nb"}}, 400, "invalid-request"),
        ({"definition": {"patch_id": "x" * 201}}, 400, "invalid-request"),
        ({"definition": {"patch_id": 1}}, 400, "invalid-request"),
        ({"definition": {"patch_id": "p", "colour": 1}}, 400, "invalid-request"),
        ({"definition": {"patch_id": "p"}, "colour": 1}, 400, "invalid-request"),
        ({"definition": {"patch_id": "p", "payload": []}}, 400, "invalid-request"),
        ({"definition": {"patch_id": "p", "metadata": None}}, 400, "invalid-request"),
        ({"definition": {"patch_id": "p"}, "constraints": {}}, 400, "invalid-request"),
        ({"definition": {"patch_id": "p"}, "constraints": [{"field": "a"}]}, 400, "invalid-request"),
        (
            {"definition": {"patch_id": "p"}, "constraints": [{"field": "a", "operator": "~", "value": 1}]},
            400,
            "invalid-request",
        ),
        (
            {"definition": {"patch_id": "p"}, "constraints": [{"field": "a", "operator": "in", "value": 1}]},
            400,
            "invalid-request",
        ),
        (
            {"definition": {"patch_id": "p"}, "constraints": [{"field": "/~", "operator": "==", "value": 1}]},
            400,
            "invalid-request",
        ),
        (
            {"definition": {"patch_id": "p"}, "constraints": [{"field": "a", "operator": "==", "value": 1, "x": 1}]},
            400,
            "invalid-request",
        ),
        ({"definition": {"patch_id": "p", "payload": {"operations": {}}}}, 400, "invalid-patch"),
        ({"definition": {"patch_id": "p", "payload": {"operations": [{"op": "add"}]}}}, 400, "invalid-patch"),
        ({"definition": {"patch_id": "p", "payload": {"operations": [1]}}}, 400, "invalid-patch"),
        ({"definition": {"patch_id": "p", "payload": {"merge": 1}}}, 400, "invalid-patch"),
        ({"definition": {"patch_id": "p", "payload": {"merge": {}, "operations": []}}}, 400, "invalid-patch"),
        ({"definition": {"patch_id": "p", "payload": {"from_diff": []}}}, 400, "invalid-request"),
        ({"definition": {"patch_id": "p", "payload": {"from_diff": {"a": 1}}}}, 400, "invalid-request"),
        ({"definition": {"patch_id": "p", "payload": {"from_diff": {"a": 1, "b": 2}}}}, 400, "invalid-request"),
        (
            {
                "definition": {
                    "patch_id": "p",
                    "payload": {"from_diff": {"a": {"type": "raw", "value": "{"}, "b": {"type": "inline", "value": 1}}},
                }
            },
            400,
            "invalid-json",
        ),
    ],
)
async def test_what_is_no_patch_is_refused(client: Client, body: Any, status: int, code: str) -> None:
    resource_id = await make(client)

    response = await post(client, resource_id, body)

    assert (response.status, (await response.json())["code"]) == (status, code)
    assert await fetch(client, resource_id) == []


async def test_refusal_of_a_diff_names_the_input(client: Client) -> None:
    resource_id = await make(client)
    inputs = {"a": {"type": "inline", "value": 1}, "b": {"type": "raw", "value": "[1,"}}

    response = await post(client, resource_id, {"definition": {"patch_id": "p", "payload": {"from_diff": inputs}}})

    assert (await response.json())["errors"][0]["input"] == "b"


async def test_diff_of_two_documents_becomes_operations(client: Client) -> None:
    resource_id = await make(client)
    inputs = {
        "a": {"type": "inline", "value": {"name": "Foot clinic", "id": "1"}},
        "b": {"type": "raw", "value": '{"name": "Hand clinic", "id": "2"}'},
    }

    made = await record(client, resource_id, payload={"from_diff": inputs, "note": "kept"})
    again = await post(
        client,
        resource_id,
        {"definition": {"patch_id": "p-1", "payload": {"from_diff": inputs, "note": "kept"}}},
    )

    assert made["definition"]["payload"] == {**RENAME, "note": "kept"}
    assert again.status == 200


async def test_diff_of_a_stored_resource_and_a_document(client: Client) -> None:
    resource_id = await make(client)
    inputs = {
        "a": {"type": "resource", "id": resource_id},
        "b": {"type": "inline", "value": {**CLINIC, "beds": 13}},
    }

    made = await record(client, resource_id, payload={"from_diff": inputs})

    assert made["definition"]["payload"]["operations"] == [{"op": "replace", "path": "/beds", "value": 13}]


async def test_unknown_and_deleted_resources_take_no_patches(client: Client) -> None:
    resource_id = await make(client)
    await client.delete(f"/v1/clinic/{resource_id}")

    unknown = await post(client, "nobody", {"definition": {"patch_id": "p"}})
    deleted = await post(client, resource_id, {"definition": {"patch_id": "p"}})

    assert (unknown.status, deleted.status) == (404, 410)


async def test_unknown_patches_are_not_found(client: Client) -> None:
    resource_id = await make(client)

    statuses = [
        (await client.get(f"/resources/{resource_id}/patches/none{path}")).status
        for path in ("", "/eligible", "/applications", "/events")
    ]
    moves = [(await act(client, resource_id, verb))[0] for verb in ("check", "apply", "retry", "cancel", "revert")]

    assert statuses + moves == [404] * 9


async def test_odd_patch_ids_are_reached_by_their_location(client: Client) -> None:
    resource_id = await make(client)

    response = await post(client, resource_id, {"definition": {"patch_id": "a/b?c#d %é"}})
    found = await client.get(response.headers["Location"])

    assert (await found.json())["patch_id"] == "a/b?c#d %é"


async def test_payloads_come_back_exactly(client: Client) -> None:
    resource_id = await make(client)
    payload = {"$a.b": 10**30, "": [None, 1.5, {"deep": [[[]]]}], "script": "drop table", "big": 2**64}

    await record(client, resource_id, payload=payload)

    assert (await fetch(client, resource_id, "/p-1"))["definition"]["payload"] == payload


async def test_dry_run_records_nothing(client: Client) -> None:
    resource_id = await make(client)

    response = await post(client, resource_id, {"definition": {"patch_id": "p"}}, params={"dryRun": "true"})

    assert (response.status, response.headers["Patchbay-Dry-Run"]) == (201, "true")
    assert (await response.json())["status"] == "pending"
    assert await fetch(client, resource_id) == []


async def test_idempotency_key_gives_the_first_answer_again(client: Client) -> None:
    resource_id = await make(client)
    headers = {"Idempotency-Key": f"record-{resource_id}"}

    answers = [await post(client, resource_id, {"definition": {"patch_id": "p"}}, headers=headers) for _ in range(2)]

    assert [each.status for each in answers] == [201, 201]
    assert answers[1].headers["Idempotency-Replayed"] == "true"


async def test_patches_are_listed_newest_first_in_pages(client: Client) -> None:
    resource_id = await make(client)
    for index in range(5):
        await record(client, resource_id, f"p-{index}")

    first = await client.get(f"/resources/{resource_id}/patches", params={"limit": 2})
    second = await follow(client, first)
    third = await follow(client, second)

    pages = [[each["patch_id"] for each in await page.json()] for page in (first, second, third)]
    assert pages == [["p-4", "p-3"], ["p-2", "p-1"], ["p-0"]]
    assert "next" not in third.links


async def test_patches_are_listed_by_status(client: Client) -> None:
    resource_id = await make(client)
    for index in range(4):
        await record(client, resource_id, f"p-{index}", payload=RENAME if index % 2 else {"odd": 1})
        await act(client, resource_id, "apply", patch_id=f"p-{index}")
    await record(client, resource_id, "p-4")

    listed = {
        status: [each["patch_id"] for each in await fetch(client, resource_id, status=status)]
        for status in ("pending", "applied", "failed", "dispatched")
    }
    page = await client.get(f"/resources/{resource_id}/patches", params={"status": "applied", "limit": 1})
    rest = await follow(client, page)

    assert listed == {"pending": ["p-4"], "applied": ["p-3", "p-1"], "failed": ["p-2", "p-0"], "dispatched": []}
    assert [each["patch_id"] for each in await rest.json()] == ["p-1"]


@pytest.mark.parametrize("query", [{"status": "done"}, {"limit": "0"}, {"limit": "501"}, {"cursor": "x"}])
async def test_odd_queries_are_refused(client: Client, query: dict[str, str]) -> None:
    resource_id = await make(client)

    response = await client.get(f"/resources/{resource_id}/patches", params=query)

    assert response.status == 400


async def test_cursor_of_another_list_is_refused(client: Client) -> None:
    resource_id, other_id = await make(client), await make(client)
    for index in range(2):
        await record(client, resource_id, f"p-{index}")
    page = await client.get(f"/resources/{resource_id}/patches", params={"limit": 1})
    cursor = URL(page.links["next"]["url"]).query["cursor"]

    response = await client.get(f"/resources/{other_id}/patches", params={"cursor": cursor})

    assert response.status == 400


async def test_check_gives_verdicts_document_and_difference(client: Client) -> None:
    resource_id = await make(client)
    constraints: list[dict[str, Any]] = [
        {"field": "engine", "operator": ">=", "value": "9.6"},
        {"field": "/beds", "operator": "<", "value": 12},
    ]
    await record(client, resource_id, payload=RENAME, constraints=constraints)

    status, seen = await act(client, resource_id, "check")

    assert status == 200
    assert (seen["target_id"], seen["version"], seen["compatible"], seen["error"]) == (resource_id, 1, False, None)
    assert seen["verdicts"] == [
        {**constraints[0], "actual": "16", "satisfied": True, "reason": "it holds"},
        {**constraints[1], "actual": 12, "satisfied": False, "reason": "the value is not < the one asked for"},
    ]
    assert seen["document"]["name"] == "Hand clinic"
    assert seen["document"]["id"] == resource_id
    assert seen["diff"] == [{"op": "replace", "path": "/name", "value": "Hand clinic"}]
    assert await version_of(client, resource_id) == 1
    assert await fetch(client, resource_id, "/p-1/applications") == []


async def test_check_says_what_would_fail(client: Client) -> None:
    resource_id, target_id = await make(client), await make(client, {"other": 1})
    await record(client, resource_id, payload={"operations": [{"op": "remove", "path": "/name"}]})

    status, seen = await act(client, resource_id, "check", {"target_id": target_id})

    assert (status, seen["compatible"], seen["document"], seen["diff"]) == (200, True, None, None)
    assert seen["errors"][0]["code"] == "path-not-found"
    assert (seen["errors"][0]["index"], seen["errors"][0]["path"]) == (0, "/name")


async def test_check_of_an_unknown_target_is_not_found(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id)

    assert (await act(client, resource_id, "check", {"target_id": "nobody"}))[0] == 404


async def test_eligible_resources_are_those_that_satisfy_every_constraint(client: Client) -> None:
    name = fresh_type()
    ids = {
        engine: await make(client, {"engine": engine, "$odd.": {"": 1}}, name) for engine in ("9.5", "9.10", "16", "x")
    }
    constraints = [
        {"field": "engine", "operator": ">=", "value": "9.6"},
        {"field": "/$odd./", "operator": "==", "value": 1},
        {"field": "engine", "operator": "!=", "value": "x"},
    ]
    await record(client, ids["16"], constraints=constraints)

    found = await fetch(client, ids["16"], "/p-1/eligible", type=name)

    assert {each["resource_id"] for each in found} == {ids["9.10"], ids["16"]}
    assert {(each["type"], each["version"]) for each in found} == {(name, 1)}


async def test_eligible_resources_come_in_pages(client: Client) -> None:
    name = fresh_type()
    ids = sorted([await make(client, {"n": index}, name) for index in range(5)])
    await record(client, ids[0], constraints=[{"field": "n", "operator": ">=", "value": 0}])

    page = await client.get(f"/resources/{ids[0]}/patches/p-1/eligible", params={"type": name, "limit": 2})
    found = await page.json()
    while "next" in page.links:
        page = await follow(client, page)
        found += await page.json()

    assert [each["resource_id"] for each in found] == ids


async def test_thousand_constraints_are_judged_and_no_more_are_taken(client: Client) -> None:
    name = fresh_type()
    resource_id = await make(client, {f"m{index}": index for index in range(1000)}, name)
    constraints = [{"field": f"m{index}", "operator": "==", "value": index} for index in range(1000)]

    await record(client, resource_id, constraints=constraints)
    status, seen = await act(client, resource_id, "check")
    found = await fetch(client, resource_id, "/p-1/eligible", type=name)
    refused = await post(
        client, resource_id, {"definition": {"patch_id": "p-2", "constraints": [*constraints, constraints[0]]}}
    )

    assert (status, seen["compatible"], len(seen["verdicts"])) == (200, True, 1000)
    assert [each["resource_id"] for each in found] == [resource_id]
    assert (refused.status, (await refused.json())["code"]) == (413, "too-large")


async def test_values_of_constraints_are_bounded_together(client: Client) -> None:
    resource_id = await make(client)
    headers = {"Content-Type": "application/json"}
    statuses = []
    for number, length in enumerate((1024 * 1024 - 3, 1024 * 1024 - 2)):  # quotes, and the 1 of the other constraint
        listed = [{"field": "a", "operator": "==", "value": "x" * length}, {"field": "b", "operator": "==", "value": 1}]
        body = json.dumps(
            {"definition": {"patch_id": f"p-{number}", "constraints": listed[:1]}, "constraints": listed[1:]}
        )
        response = await client.post(f"/resources/{resource_id}/patches", data=BytesIO(body.encode()), headers=headers)
        statuses.append(response.status)

    assert statuses == [201, 413]


@pytest.mark.parametrize("field", ["$where", "a.$b", ".", "..", "", "/", "//", "a..b", "%", "\x00", "a.0.b", "é", "$"])
async def test_odd_fields_are_fields_like_others(client: Client, field: str) -> None:
    name = fresh_type()
    resource_id = await make(client, {"a": 1}, name)
    await record(client, resource_id, constraints=[{"field": field, "operator": "==", "value": 1}])

    status, seen = await act(client, resource_id, "check")

    assert (status, seen["compatible"]) == (200, False)
    assert await fetch(client, resource_id, "/p-1/eligible", type=name) == []
    assert await read(client, resource_id) == {"a": 1}


@pytest.mark.parametrize("size", [16 * 1024 * 1024, 17 * 1024 * 1024], ids=["for the server", "for the driver"])
async def test_patch_larger_than_a_document_of_the_database_is_refused(client: Client, size: int) -> None:
    resource_id = await make(client)
    body = b'{"definition": {"patch_id": "p", "payload": {"script": "%s"}}}' % (b"x" * size)

    response = await client.post(
        f"/resources/{resource_id}/patches", data=BytesIO(body), headers={"Content-Type": "application/json"}
    )

    assert (response.status, (await response.json())["code"]) == (422, "not-storable")


async def test_big_patches_are_listed_a_few_at_a_time(client: Client) -> None:
    resource_id = await make(client)
    for index in range(4):
        body = b'{"definition": {"patch_id": "p-%d", "payload": {"s": "%s"}}}' % (index, b"x" * (7 * 1024 * 1024))
        headers = {"Content-Type": "application/json"}
        await client.post(f"/resources/{resource_id}/patches", data=BytesIO(body), headers=headers)

    first = await client.get(f"/resources/{resource_id}/patches")
    second = await follow(client, first)

    pages = [[each["patch_id"] for each in await page.json()] for page in (first, second)]
    assert pages == [["p-3", "p-2", "p-1"], ["p-0"]]


async def test_status_is_found_among_many_patches(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id, "first")
    await act(client, resource_id, "apply", patch_id="first")
    for index in range(120):
        await record(client, resource_id, f"p-{index}")

    found = await fetch(client, resource_id, status="applied", limit=1)

    assert [each["patch_id"] for each in found] == ["first"]


async def test_a_record_that_was_read_is_the_same_content(client: Client) -> None:
    resource_id = await make(client)
    inputs = {"a": {"type": "inline", "value": {"n": 1}}, "b": {"type": "inline", "value": {"n": 2}}}
    asked = {"definition": {"patch_id": "found", "payload": {"from_diff": inputs}}}
    made = await (await post(client, resource_id, asked)).json()
    shown = {"definition": made["definition"], "constraints": made["constraints"]}

    again = [await post(client, resource_id, body) for body in (asked, shown)]
    inputs["b"]["value"] = {"n": 3}
    other = await post(client, resource_id, asked)

    assert [(each.status, await each.json()) for each in again] == [(200, made)] * 2
    assert (other.status, (await other.json())["code"]) == (409, "patch-exists")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"constraints": [{"field": "a", "operator": "=", "value": 1}]}, "it takes: !=, <, <=, ==, >, >=, in"),
        ({"colour": 1}, "known: patch_id, description, constraints, payload, metadata"),
    ],
)
async def test_a_refusal_says_what_may_stand_there(client: Client, body: Any, told: str) -> None:
    resource_id = await make(client)

    answer = await post(client, resource_id, {"definition": {"patch_id": "p", **body}})

    assert told in (await answer.json())["detail"]
