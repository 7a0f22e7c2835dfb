"""`POST /api/json/v*/patch`, from outside."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient

from service.api import examples

SAMPLE = json.loads((Path(__file__).parents[1] / "cases" / "compare-sample.json").read_text())
Client = TestClient[web.Request, web.Application]


def inline(value: Any) -> dict[str, Any]:
    return {"type": "inline", "value": value}


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_documented_sample_by_json(client: Client, version: str) -> None:
    response = await client.post(
        f"/api/json/{version}/patch", json={"a": inline(SAMPLE["a"]), "b": inline(SAMPLE["b"])}
    )

    assert response.status == 200
    assert response.content_type == "application/json"
    assert response.headers["Patchbay-Diff"] == "exact"
    assert await response.json() == SAMPLE["aToB"]


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_documented_sample_by_form(client: Client, version: str) -> None:
    form = FormData()
    form.add_field("a", json.dumps(SAMPLE["a"]), filename="a.json", content_type="application/json")
    form.add_field("b", json.dumps(SAMPLE["b"]))
    form.add_field("patchDirection", "aToB")

    response = await client.post(f"/api/json/{version}/patch", data=form)

    assert response.status == 200
    assert await response.json() == SAMPLE["aToB"]


async def test_older_disposition_names_the_part_by_its_parameter(client: Client) -> None:
    lines = [
        line
        for name in ("a", "b")
        for line in (
            "--frontier",
            f'Content-Disposition: file; {name}="input{name.upper()}.json"',
            "Content-Type: application/json",
            "",
            json.dumps(SAMPLE[name]),
        )
    ]

    response = await client.post(
        "/api/json/v1/patch",
        data="\r\n".join([*lines, "--frontier--", ""]).encode(),
        headers={"Content-Type": "multipart/form-data; boundary=frontier"},
    )

    assert await response.json() == SAMPLE["aToB"]


async def test_direction_and_ignored_names_are_honoured(client: Client) -> None:
    request = {
        "A": inline({"x": 1, "created": 1}),
        "B": inline({"x": 2, "created": 2}),
        "patchDirection": "bToA",
        "dxConfig": {"dxConfig": [{"ignoreChanges": "delete", "key": "created"}]},
    }

    response = await client.post("/api/json/v1/patch", json=request)

    assert await response.json() == [{"op": "replace", "path": "/x", "value": 1}]


async def test_a_dry_run_of_a_record_says_that_it_would_be_made(client: Client) -> None:
    key, path = {"Idempotency-Key": str(uuid4())}, "/api/json/v1/patch?store=true"

    dry = await client.post(f"{path}&dryRun=true", json={"a": inline(1), "b": inline(2)}, headers=key)
    made = await client.post(path, json={"a": inline(1), "b": inline(3)}, headers=key)

    assert (dry.status, dry.headers["Patchbay-Dry-Run"]) == (201, "true")
    assert "Location" not in dry.headers
    assert made.status == 201, "the key is that of a record"


async def test_a_stored_comparison_can_be_read(client: Client) -> None:
    made = await client.post("/api/json/v1/patch?store=true", json={"a": inline(1), "b": inline(2)})

    assert made.status == 201
    record = await (await client.get(made.headers["Location"])).json()
    assert record["patch"] == await made.json() == [{"op": "replace", "path": "", "value": 2}]
    assert record["createdBy"] == "anonymous"
    assert record["a"] == {
        "sha256": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
        "sizeBytes": 1,
    }
    assert len(record["createdAt"]) == len("2026-01-02T03:04:05.000000Z")


async def test_json_patch_media_type_on_request(client: Client) -> None:
    response = await client.post(
        "/api/json/v1/patch",
        json={"a": inline(1), "b": inline(1)},
        headers={"Accept": "application/json-patch+json"},
    )

    assert response.content_type == "application/json-patch+json"
    assert await response.json() == []


async def in_form(client: Client, accept: str, a: Any, b: Any, **options: Any) -> tuple[int, str, Any]:
    request = {"a": inline(a), "b": inline(b), **options}
    response = await client.post("/api/json/v1/patch", json=request, headers={"Accept": accept})
    return response.status, response.content_type, await response.json(content_type=None)


async def test_the_change_as_a_merge_patch(client: Client) -> None:
    answered = await in_form(client, "application/merge-patch+json", SAMPLE["a"], SAMPLE["b"])

    assert answered == (200, "application/merge-patch+json", examples.MERGE)


async def test_a_merge_patch_that_cannot_say_it_is_refused_with_the_place(client: Client) -> None:
    status, _, problem = await in_form(client, "application/merge-patch+json", {"x": {"y": 1}}, {"x": {"y": None}})

    assert (status, problem["code"]) == (422, "not-expressible")
    assert problem["errors"][0]["pointer"] == "/x/y"


async def test_a_merge_patch_leaves_what_is_ignored(client: Client) -> None:
    ignored = {"dxConfig": [{"ignoreChanges": "delete", "key": "t"}]}

    answered = await in_form(client, "application/merge-patch+json", {"t": 1, "x": 1}, {"t": 2, "x": 2}, **ignored)

    assert answered == (200, "application/merge-patch+json", {"x": 2})


async def test_the_change_as_a_list_of_changes(client: Client) -> None:
    answered = await in_form(client, "application/vnd.patchbay.changes+json", SAMPLE["a"], SAMPLE["b"])

    assert answered == (200, "application/vnd.patchbay.changes+json", examples.CHANGES)


async def test_other_forms_go_in_the_asked_direction(client: Client) -> None:
    answered = await in_form(client, "application/vnd.patchbay.changes+json", {"x": 1}, {"x": 2}, patchDirection="bToA")

    assert answered[2] == [{"path": "/x", "op": "replace", "before": 2, "after": 1}]


@pytest.mark.parametrize("member", [{"keys": ["id"]}, {"arrayAlignment": "keyed"}])
async def test_keys_and_keyed_go_together(client: Client, member: dict[str, Any]) -> None:
    response = await client.post("/api/json/v1/patch", json={"a": inline([]), "b": inline([]), **member})

    assert response.status == 400
    assert (await response.json())["errors"][0]["field"] == "keys"


async def test_a_large_request_is_checked_like_a_small_one(client: Client) -> None:
    """Its body is checked in a thread, beside the event loop."""
    large = {f"member {place}": "x" * 90 for place in range(4_000)}
    text = json.dumps({"a": inline(large), "b": inline({**large, "member 7": 1})})
    headers = {"Content-Type": "application/json"}

    answered = await client.post("/api/json/v1/patch", data=text, headers=headers)
    refused = await client.post("/api/json/v1/patch", data=text.replace("member 9", "member 8", 1), headers=headers)

    assert await answered.json() == [{"op": "replace", "path": "/member 7", "value": 1}]
    assert (refused.status, (await refused.json())["code"]) == (400, "invalid-json")
