"""`Idempotency-Key`, from outside."""

import asyncio
import uuid
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

Client = TestClient[web.Request, web.Application]


@pytest.fixture(name="key")
def make_key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


async def test_a_repeated_creation_gets_the_first_answer(client: Client, key: dict[str, str]) -> None:
    first = await client.post("/v1/clinic", json={"name": "x"}, headers=key)
    again = await client.post("/v1/clinic", json={"name": "x"}, headers=key)

    assert first.status == again.status == 201
    assert again.headers["Idempotency-Replayed"] == "true"
    assert [again.headers[name] for name in ("ETag", "Location")] == [
        first.headers[name] for name in ("ETag", "Location")
    ]
    assert await first.read() == await again.read()


async def test_a_repeated_patch_is_applied_once(client: Client, key: dict[str, str]) -> None:
    made: Any = await (await client.post("/v1/clinic", json={"log": []})).json()
    path, patch = f"/v1/clinic/{made['id']}", [{"op": "add", "path": "log/-", "value": 1}]

    answers = [await client.patch(path, json=patch, headers=key) for _ in range(3)]

    assert [(each.status, each.headers["ETag"]) for each in answers] == [(200, '"2"')] * 3
    assert (await (await client.get(path)).json())["log"] == [1]


async def test_a_repeated_refusal_is_the_same(client: Client, key: dict[str, str]) -> None:
    first = await client.post("/v1/clinic", json={"id": "x"}, headers=key)
    again = await client.post("/v1/clinic", json={"id": "x"}, headers=key)

    assert first.status == again.status == 422
    assert await first.read() == await again.read()
    assert again.content_type == "application/problem+json"


async def test_another_request_with_the_key_is_refused(client: Client, key: dict[str, str]) -> None:
    await client.post("/v1/clinic", json={"name": "x"}, headers=key)
    answers = [
        await client.post("/v1/clinic", json={"name": "y"}, headers=key),
        await client.post("/v1/practice", json={"name": "x"}, headers=key),
        await client.post("/v1/clinic?dryRun=true", json={"name": "x"}, headers=key),
    ]

    assert [(each.status, (await each.json())["code"]) for each in answers] == [(422, "idempotency-key-reused")] * 3


async def test_concurrent_requests_with_one_key_write_once(client: Client, key: dict[str, str]) -> None:
    answers = await asyncio.gather(*(client.post("/v1/clinic", json={}, headers=key) for _ in range(10)))

    assert {each.status for each in answers} <= {201, 409}
    assert len({each.headers["Location"] for each in answers if each.status == 201}) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "\u00e9"])
async def test_malformed_keys_are_refused(client: Client, key: str) -> None:
    response = await client.post("/v1/clinic", json={}, headers={"Idempotency-Key": key})

    assert response.status == 400
