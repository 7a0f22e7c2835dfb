"""The examples of RFC 6902 and RFC 7396 over HTTP: on stored resources, as patch records, through the compare route."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from tests.api.conftest import inline

Client = TestClient[web.Request, web.Application]

RFC_6902 = json.loads(Path("tests/cases/json-patch-spec-tests.json").read_text())
APPLYING = [case for case in RFC_6902 if "expected" in case]
FAILING = [case for case in RFC_6902 if "error" in case]
RFC_7396 = json.loads(Path("tests/cases/merge-patch-rfc7396.json").read_text())
WHOLE = [case for case in RFC_7396 if all(isinstance(value, dict) for value in case.values())]
NO_OBJECT = [case for case in RFC_7396 if isinstance(case["target"], dict) and not isinstance(case["patch"], dict)]
AS_MEMBER = [case for case in RFC_7396 if case["patch"] is not None]
"""A resource is an object; what is about other documents is about a member of one. There null means removal."""

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
OWNED = ("id", "createdAt", "updatedAt")
TWO_OPS = '[{"op": "add", "path": "/baz", "value": "qux", "op": "remove"}]'
"""A.13 as the RFC has it; a parsed file cannot hold it."""


def content(resource: Any) -> Any:
    return {name: value for name, value in resource.items() if name not in OWNED}


async def make(client: Client, document: Any) -> str:
    response = await client.post("/v1/example", json=document)
    assert response.status == 201, await response.text()
    resource_id: str = (await response.json())["id"]
    return resource_id


async def read(client: Client, resource_id: str) -> Any:
    return content(await (await client.get(f"/v1/example/{resource_id}")).json())


async def send(client: Client, resource_id: str, text: str, media_type: str) -> tuple[int, Any]:
    response = await client.patch(f"/v1/example/{resource_id}", data=text, headers={"Content-Type": media_type})
    return response.status, await response.json()


def test_no_example_is_left_out() -> None:
    assert len(APPLYING) + len(FAILING) == len(RFC_6902) == 17
    assert len(AS_MEMBER) + 1 == len(RFC_7396) == 15


@pytest.mark.parametrize("case", APPLYING, ids=lambda case: case["comment"])
async def test_an_example_of_rfc_6902_patches_a_resource(client: Client, case: Any) -> None:
    made = await make(client, case["doc"])

    status, answer = await send(client, made, json.dumps(case["patch"]), JSON_PATCH)

    assert status == 200, answer
    assert content(answer) == await read(client, made) == case["expected"]


@pytest.mark.parametrize("case", FAILING, ids=lambda case: case["comment"])
async def test_what_rfc_6902_refuses_is_refused_and_changes_nothing(client: Client, case: Any) -> None:
    made = await make(client, case["doc"])
    text = TWO_OPS if "two 'op' members" in case["error"] else json.dumps(case["patch"])

    status, answer = await send(client, made, text, JSON_PATCH)

    assert status in (400, 409, 422)
    assert answer["errors"]
    assert await read(client, made) == case["doc"]


@pytest.mark.parametrize("case", APPLYING, ids=lambda case: case["comment"])
async def test_an_example_of_rfc_6902_can_be_recorded_and_applied(client: Client, case: Any) -> None:
    made = await make(client, case["doc"])
    definition = {"patch_id": "example", "payload": {"operations": case["patch"]}}
    recorded = await client.post(f"/resources/{made}/patches", json={"definition": definition})

    applied = await client.post(f"/resources/{made}/patches/example/apply", json={})

    assert (recorded.status, applied.status) == (201, 200), await applied.text()
    assert await read(client, made) == case["expected"]


@pytest.mark.parametrize("case", APPLYING, ids=lambda case: case["comment"])
async def test_the_compare_route_finds_a_way_between_the_documents_of_rfc_6902(client: Client, case: Any) -> None:
    made = await make(client, case["doc"])
    order = {"a": inline(case["doc"]), "b": inline(case["expected"])}
    patch = await (await client.post("/api/json/v1/patch", json=order)).text()

    status, answer = await send(client, made, patch, JSON_PATCH)

    assert status == 200, answer
    assert content(answer) == case["expected"]


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: json.dumps(case["patch"]))
async def test_an_example_of_rfc_7396_patches_a_resource(client: Client, case: Any) -> None:
    made = await make(client, case["target"])

    status, answer = await send(client, made, json.dumps(case["patch"]), MERGE_PATCH)

    assert status == 200, answer
    assert content(answer) == await read(client, made) == case["result"]


@pytest.mark.parametrize("case", AS_MEMBER, ids=lambda case: json.dumps(case["patch"]))
async def test_an_example_of_rfc_7396_patches_a_member(client: Client, case: Any) -> None:
    made = await make(client, {"document": case["target"]})

    status, answer = await send(client, made, json.dumps({"document": case["patch"]}), MERGE_PATCH)

    assert status == 200, answer
    assert content(answer) == {"document": case["result"]}


@pytest.mark.parametrize("case", NO_OBJECT, ids=lambda case: json.dumps(case["patch"]))
async def test_a_resource_stays_an_object(client: Client, case: Any) -> None:
    made = await make(client, case["target"])

    status, answer = await send(client, made, json.dumps(case["patch"]), MERGE_PATCH)

    assert (status, answer["code"]) == (422, "path-not-allowed")
    assert await read(client, made) == case["target"]
