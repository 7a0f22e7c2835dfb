"""Patches carried out: applied, failed, tried again, called off, taken back."""

import asyncio
import json
from typing import Any

import pytest

from tests.api.conftest import problem_members
from tests.api.patches import CLINIC, RENAME, Client, act, fetch, follow, fresh_type, make, read, record, version_of

FAILING = {"operations": [{"op": "replace", "path": "/name", "value": 1}, {"op": "remove", "path": "/none"}]}


async def test_applying_makes_the_next_version_and_an_application(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=RENAME)

    status, done = await act(client, resource_id, "apply")

    assert status == 200
    assert (done["status"], done["base_version"], done["result_version"], done["attempt"]) == ("applied", 1, 2, 1)
    assert (done["target_id"], done["provider"], done["error"], done["created_by"]) == (
        resource_id,
        "builtin",
        None,
        "anonymous",
    )
    assert await read(client, resource_id) == {**CLINIC, "name": "Hand clinic"}
    assert (await fetch(client, resource_id, "/p-1"))["status"] == "applied"
    assert await fetch(client, resource_id, "/p-1/applications") == [done]


async def test_the_history_of_the_target_names_the_patch(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=RENAME)
    await act(client, resource_id, "apply")

    history = await (await client.get(f"/v1/clinic/{resource_id}/history")).json()

    assert history[0]["message"] == f"Patch p-1 of {resource_id}"


async def test_one_patch_goes_to_many_targets(client: Client) -> None:
    resource_id, *targets = [await make(client) for _ in range(3)]
    await record(client, resource_id, payload={"merge": {"beds": None, "seen": True}})

    statuses = [(await act(client, resource_id, "apply", {"target_id": each}))[0] for each in targets]

    assert statuses == [200, 200]
    assert [(await read(client, each)).get("seen") for each in (resource_id, *targets)] == [None, True, True]
    applications = await fetch(client, resource_id, "/p-1/applications")
    assert {each["target_id"] for each in applications} == set(targets)


async def test_incompatible_target_is_refused_with_every_verdict(client: Client) -> None:
    resource_id = await make(client)
    constraints = [
        {"field": "beds", "operator": "==", "value": 12},
        {"field": "engine", "operator": "<", "value": "9.6"},
        {"field": "fax", "operator": "!=", "value": 1},
    ]
    await record(client, resource_id, payload=RENAME, constraints=constraints)

    status, problem = await act(client, resource_id, "apply")

    assert (status, problem["code"]) == (409, "incompatible-target")
    assert problem.keys() <= await problem_members(client)
    assert [each["satisfied"] for each in problem["verdicts"]] == [True, False, False]
    assert [each["field"] for each in problem["errors"]] == ["engine", "fax"]
    assert await fetch(client, resource_id, "/p-1/applications") == []
    assert await version_of(client, resource_id) == 1


async def test_failing_operation_leaves_the_target_and_points(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=FAILING)

    status, problem = await act(client, resource_id, "apply")

    assert (status, problem["code"]) == (409, "application-failed")
    assert problem.keys() <= await problem_members(client)
    assert (problem["errors"][0]["index"], problem["errors"][0]["path"]) == (1, "/none")
    application = problem["application"]
    assert (application["status"], application["base_version"], application["result_version"]) == ("failed", 1, None)
    assert await fetch(client, resource_id, "/p-1/applications") == [application]
    assert await read(client, resource_id) == CLINIC
    patch = await fetch(client, resource_id, "/p-1")
    assert (patch["status"], patch["error"]) == ("failed", application["error"])
    assert "/none" in patch["error"]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"operations": [{"op": "test", "path": "/beds", "value": True}]}, "test-failed"),
        ({"operations": [{"op": "replace", "path": "/id", "value": "x"}]}, "immutable-property"),
        ({"operations": [{"op": "replace", "path": "", "value": 1}]}, "path-not-allowed"),
        ({"merge": {"createdAt": None}}, "immutable-property"),
        ({"merge": {"deep": json.loads("[" * 100 + "]" * 100)}}, "not-storable"),
        ({"script": "migrate.sql"}, "application-failed"),
    ],
)
async def test_what_cannot_be_done_to_the_target_fails(client: Client, payload: Any, code: str) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=payload)

    status, problem = await act(client, resource_id, "apply")

    assert (status, problem["code"], problem["errors"][0]["code"]) == (409, "application-failed", code)
    assert problem["application"]["status"] == "failed"
    assert await version_of(client, resource_id) == 1


async def test_empty_payload_applies_and_changes_nothing(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id)

    status, done = await act(client, resource_id, "apply")

    assert (status, done["status"], done["base_version"], done["result_version"]) == (200, "applied", 1, 1)
    assert await version_of(client, resource_id) == 1
    assert await fetch(client, resource_id, "/p-1/applications") == [done]


async def test_version_pin_is_honoured(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=RENAME)

    refused, problem = await act(client, resource_id, "apply", {"if_version": 2})
    done, _ = await act(client, resource_id, "apply", {"if_version": 1})

    assert (refused, problem["code"], done) == (412, "version-conflict", 200)
    assert problem["errors"][0]["actual"] == 1


@pytest.mark.parametrize("aim", [{"target": "x"}, {"if_version": 0}, {"if_version": "1"}, {"target_id": 1}])
async def test_odd_requests_are_refused(client: Client, aim: Any) -> None:
    resource_id = await make(client)
    await record(client, resource_id)

    assert (await act(client, resource_id, "apply", aim))[0] == 400


async def test_body_may_be_left_out(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id)

    response = await client.post(f"/resources/{resource_id}/patches/p-1/apply")

    assert response.status == 200


async def test_unknown_and_deleted_targets(client: Client) -> None:
    resource_id, deleted_id = await make(client), await make(client)
    await client.delete(f"/v1/clinic/{deleted_id}")
    await record(client, resource_id)

    statuses = [(await act(client, resource_id, "apply", {"target_id": each}))[0] for each in ("nobody", deleted_id)]

    assert statuses == [404, 410]


async def bring_to(client: Client, resource_id: str, state: str) -> None:
    payload = {"pending": RENAME, "failed": FAILING}.get(state, RENAME)
    await record(client, resource_id, payload=payload)
    for verb in {"pending": [], "failed": ["apply"], "applied": ["apply"], "reverted": ["apply", "revert"]}[state]:
        await act(client, resource_id, verb)


@pytest.mark.parametrize(
    ("state", "legal"),
    [
        ("pending", ["apply", "cancel"]),
        ("failed", ["retry"]),
        ("applied", ["revert"]),
        ("reverted", ["apply"]),
    ],
)
@pytest.mark.parametrize("verb", ["apply", "retry", "cancel", "revert"])
async def test_every_illegal_move_names_the_legal_ones(client: Client, state: str, legal: list[str], verb: str) -> None:
    resource_id = await make(client)
    await bring_to(client, resource_id, state)
    before = await fetch(client, resource_id, "/p-1/events")

    status, answer = await act(client, resource_id, verb)

    is_refused = (status, answer.get("code")) == (409, "invalid-transition")
    assert is_refused == (verb not in legal)
    events = await fetch(client, resource_id, "/p-1/events")
    assert answer["errors"][0]["expected"] == legal and events == before if is_refused else len(events) > len(before)


async def test_failed_application_is_retried(client: Client) -> None:
    resource_id, target_id = await make(client), await make(client, {"name": "x"})
    await record(client, resource_id, payload={"operations": [{"op": "remove", "path": "/fax"}]})
    failed = await act(client, resource_id, "apply", {"target_id": target_id})
    again = await act(client, resource_id, "retry")
    await client.patch(f"/v1/clinic/{target_id}", json=[{"op": "add", "path": "fax", "value": 1}])

    status, done = await act(client, resource_id, "retry")

    assert (failed[0], again[0], status) == (409, 409, 200)
    assert (done["target_id"], done["attempt"], done["status"], done["error"]) == (target_id, 3, "applied", None)
    assert len(await fetch(client, resource_id, "/p-1/applications")) == 1


async def test_cancelled_application_is_failed_and_says_so(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=RENAME)

    status, cancelled = await act(client, resource_id, "cancel")
    retried, _ = await act(client, resource_id, "retry")

    assert (status, cancelled["status"], cancelled["error"]) == (200, "failed", "Cancelled by anonymous.")
    assert retried == 200


async def test_events_tell_every_move(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=RENAME, description="why not")
    for verb in ("cancel", "retry", "revert"):
        await act(client, resource_id, verb)

    events = await fetch(client, resource_id, "/p-1/events")

    assert [(each["verb"], each["from"], each["to"]) for each in events] == [
        ("record", None, "pending"),
        ("cancel", "pending", "failed"),
        ("retry", "failed", "applied"),
        ("revert", "applied", "reverted"),
    ]
    assert [each["why"] for each in events[:2]] == ["why not", "Cancelled by anonymous."]
    assert {each["by"] for each in events} == {"anonymous"}
    assert [each["at"] for each in events] == sorted(each["at"] for each in events)


async def test_events_and_applications_come_in_pages(client: Client) -> None:
    resource_id, *targets = [await make(client) for _ in range(4)]
    await record(client, resource_id)
    for each in targets:
        await act(client, resource_id, "apply", {"target_id": each})

    for path, total in (("applications", 3), ("events", 4)):
        first = await client.get(f"/resources/{resource_id}/patches/p-1/{path}", params={"limit": 2})
        second = await follow(client, first)
        found = [*await first.json(), *await second.json()]

        assert len({each["id"] for each in found}) == len(found) == total
        assert "next" not in second.links


async def test_dry_runs_say_what_would_happen(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=RENAME)
    await record(client, resource_id, "p-2", payload=FAILING)
    dry: Any = {"params": {"dryRun": "true"}}

    applied = await act(client, resource_id, "apply", **dry)
    failed = await act(client, resource_id, "apply", patch_id="p-2", **dry)
    cancelled = await act(client, resource_id, "cancel", **dry)
    await act(client, resource_id, "apply")
    reverted = await act(client, resource_id, "revert", **dry)

    assert [each[0] for each in (applied, failed, cancelled, reverted)] == [200, 409, 200, 201]
    assert (applied[1]["status"], applied[1]["result_version"]) == ("applied", 2)
    assert await read(client, resource_id) == {**CLINIC, "name": "Hand clinic"}
    assert [each["patch_id"] for each in await fetch(client, resource_id)] == ["p-2", "p-1"]
    assert await fetch(client, resource_id, "/p-2/applications") == []


async def test_idempotency_key_applies_once(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload={"operations": [{"op": "add", "path": "/tags/-", "value": "c"}]})
    headers = {"Idempotency-Key": f"apply-{resource_id}"}

    answers = [await act(client, resource_id, "apply", headers=headers) for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert (await read(client, resource_id))["tags"] == ["a", "b", "c"]


async def test_two_applies_at_once_are_one(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload={"operations": [{"op": "add", "path": "/tags/-", "value": "c"}]})

    answers = await asyncio.gather(*(act(client, resource_id, "apply") for _ in range(8)))

    assert sorted(status for status, _ in answers) == [200] + [409] * 7
    assert {answer["code"] for status, answer in answers if status == 409} == {"invalid-transition"}
    assert (await read(client, resource_id))["tags"] == ["a", "b", "c"]
    assert await version_of(client, resource_id) == 2


async def test_many_patches_on_one_target_at_once_are_all_applied(client: Client) -> None:
    resource_id = await make(client, {"list": []})
    for index in range(8):
        operations = [{"op": "add", "path": "/list/-", "value": index}]
        await record(client, resource_id, f"p-{index}", payload={"operations": operations})

    answers = await asyncio.gather(*(act(client, resource_id, "apply", patch_id=f"p-{index}") for index in range(8)))

    assert [status for status, _ in answers] == [200] * 8
    assert sorted((await read(client, resource_id))["list"]) == list(range(8))
    assert sorted(answer["result_version"] for _, answer in answers) == list(range(2, 10))


async def test_reverting_makes_and_applies_the_inverse(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=RENAME)
    await act(client, resource_id, "apply")

    status, made = await act(client, resource_id, "revert")

    assert (status, made["status"], made["resource_id"]) == (201, "applied", resource_id)
    assert made["definition"]["payload"] == {"operations": [{"op": "replace", "path": "/name", "value": "Foot clinic"}]}
    assert made["definition"]["metadata"]["reverts"]["patch_id"] == "p-1"
    assert await read(client, resource_id) == CLINIC
    assert await fetch(client, resource_id, f"/{made['patch_id']}") == made
    (application,) = await fetch(client, resource_id, "/p-1/applications")
    assert (application["status"], application["reverted_by"]) == ("applied", made["patch_id"])
    (inverse,) = await fetch(client, resource_id, f"/{made['patch_id']}/applications")
    assert (inverse["status"], inverse["base_version"], inverse["result_version"]) == ("applied", 2, 3)


async def test_reverting_keeps_later_changes_beside_it(client: Client) -> None:
    resource_id = await make(client)
    payload = {"operations": [*RENAME["operations"], {"op": "add", "path": "/tags/0", "value": "new"}]}
    await record(client, resource_id, payload=payload)
    await act(client, resource_id, "apply")
    later = [{"op": "replace", "path": "/beds", "value": 99}, {"op": "add", "path": "/tags/-", "value": "last"}]
    await client.patch(f"/v1/clinic/{resource_id}", json=later, headers={"Content-Type": "application/json-patch+json"})

    status, _ = await act(client, resource_id, "revert")

    assert status == 201
    assert await read(client, resource_id) == {**CLINIC, "beds": 99, "tags": ["a", "b", "last"]}


async def test_reverting_says_what_stands_in_the_way(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=RENAME)
    await act(client, resource_id, "apply")
    await client.patch(f"/v1/clinic/{resource_id}", json=[{"op": "replace", "path": "name", "value": "Ear clinic"}])

    status, problem = await act(client, resource_id, "revert")

    assert (status, problem["code"]) == (409, "application-failed")
    (error,) = problem["errors"]
    assert (error["pointer"], error["expected"], error["actual"]) == ("/name", "Hand clinic", "Ear clinic")
    assert (await read(client, resource_id))["name"] == "Ear clinic"
    assert [each["patch_id"] for each in await fetch(client, resource_id)] == ["p-1"]


async def test_reverted_patch_may_be_applied_and_reverted_again(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=RENAME)

    statuses = [(await act(client, resource_id, verb))[0] for verb in ("apply", "revert") * 2]

    assert statuses == [200, 201, 200, 201]
    assert await read(client, resource_id) == CLINIC
    assert len(await fetch(client, resource_id)) == 3


async def test_revert_of_a_revert_is_the_patch_again(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=RENAME)
    await act(client, resource_id, "apply")
    _, made = await act(client, resource_id, "revert")

    status, _ = await act(client, resource_id, "revert", patch_id=made["patch_id"])

    assert status == 201
    assert (await read(client, resource_id))["name"] == "Hand clinic"


async def test_reverting_at_once_is_done_once(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=RENAME)
    await act(client, resource_id, "apply")

    answers = await asyncio.gather(*(act(client, resource_id, "revert") for _ in range(4)))

    assert sorted(status for status, _ in answers) == [201, 409, 409, 409]
    assert await version_of(client, resource_id) == 3


async def test_reverting_what_is_gone_already_changes_nothing(client: Client) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=RENAME)
    await act(client, resource_id, "apply")
    await client.patch(f"/v1/clinic/{resource_id}", json=[{"op": "replace", "path": "name", "value": "Foot clinic"}])

    status, made = await act(client, resource_id, "revert")

    assert (status, made["definition"]["payload"]) == (201, {"operations": []})
    assert await version_of(client, resource_id) == 3
    assert (await fetch(client, resource_id, f"/{made['patch_id']}"))["status"] == "applied"


async def test_rules_of_the_target_type_are_kept(client: Client) -> None:
    name = fresh_type()
    definition = {"schema": {"properties": {"beds": {"type": "integer"}}}, "required": ["If-Match"]}
    assert (await client.put(f"/types/{name}", json=definition)).status == 201
    resource_id = await make(client, {"beds": 1}, name)
    await record(client, resource_id, payload={"merge": {"beds": "many"}})
    await record(client, resource_id, "p-2", payload={"merge": {"beds": 2}})

    failed, problem = await act(client, resource_id, "apply")
    applied, _ = await act(client, resource_id, "apply", patch_id="p-2")

    assert (failed, problem["errors"][0]["code"], problem["errors"][0]["pointer"]) == (409, "schema-violation", "/beds")
    assert applied == 200


async def test_identifiers_of_the_target_are_claimed(client: Client) -> None:
    value = fresh_type()
    first, second = await make(client), await make(client)
    await record(client, first, payload={"merge": {"identifier": [{"system": "npi", "value": value}]}})

    statuses = [await act(client, first, "apply", {"target_id": each}) for each in (first, second)]
    found = await client.get(f"/v1/clinic/{value}")

    assert [status for status, _ in statuses] == [200, 409]
    assert statuses[1][1]["errors"][0]["code"] == "duplicate-identifier"
    assert (await found.json())["id"] == first
    assert (await act(client, first, "revert", {"target_id": first}))[0] == 201
    assert (await client.get(f"/v1/clinic/{value}")).status == 404


async def test_type_may_name_a_provider_that_is_not_there(client: Client) -> None:
    name = fresh_type()
    await client.put(f"/types/{name}", json={"provider": "nobody"})
    resource_id = await make(client, {"beds": 1}, name)
    await record(client, resource_id)

    checked, seen = await act(client, resource_id, "check")
    status, problem = await act(client, resource_id, "apply")

    assert (checked, seen["document"], "'nobody'" in seen["error"]) == (200, None, True)
    assert (status, problem["code"], problem["application"]["provider"]) == (409, "application-failed", "nobody")
