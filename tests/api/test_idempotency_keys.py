"""`Idempotency-Key`, from outside."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient
from pymongo.collection import Collection

from service.api.idempotency import idempotent
from service.api.middleware import Middleware
from service.app import create_app
from service.errors import OverloadedError, SourceTimeoutError
from service.keys import SETTINGS
from service.settings import Settings

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


@pytest.mark.parametrize(("method", "header"), [("POST", "Accept-Post"), ("PATCH", "Accept-Patch")])
async def test_a_repeated_refusal_says_what_is_accepted(
    client: Client, key: dict[str, str], method: str, header: str
) -> None:
    path = "/v1/clinic" if method == "POST" else "/v1/clinic/none"
    headers = {**key, "Content-Type": "text/plain"}

    first, again = [await client.request(method, path, data=b"x", headers=headers) for _ in range(2)]

    assert first.status == again.status == 415
    assert "application/json" in first.headers[header]
    assert again.headers[header] == first.headers[header]


async def test_what_waiting_helps_against_is_not_answered_again(
    aiohttp_client: Any, settings: Settings, key: dict[str, str]
) -> None:
    answers: list[Exception | web.Response] = [
        OverloadedError("Try again.", retry_after_s=3),
        SourceTimeoutError("Too slow."),
        web.json_response({"done": True}),
    ]

    @idempotent
    async def work(_: web.Request) -> web.Response:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    app = create_app(settings)
    app.router.add_post("/work", Middleware(app, work, None).serve)
    client = await aiohttp_client(app)

    statuses = [(await client.post("/work", headers=key)).status for _ in range(4)]

    assert statuses == [429, 504, 200, 200]
    assert answers == []


async def test_another_request_with_the_key_is_refused(client: Client, key: dict[str, str]) -> None:
    await client.post("/v1/clinic", json={"name": "x"}, headers=key)
    answers = [
        await client.post("/v1/clinic", json={"name": "y"}, headers=key),
        await client.post("/v1/practice", json={"name": "x"}, headers=key),
        await client.post("/v1/clinic?dryRun=false", json={"name": "x"}, headers=key),
    ]

    assert [(each.status, (await each.json())["code"]) for each in answers] == [(422, "idempotency-key-reused")] * 3


async def test_a_dry_run_leaves_the_key_to_what_it_tried_out(client: Client, key: dict[str, str]) -> None:
    dry = [await client.post("/v1/clinic?dryRun=true", json={"name": name}, headers=key) for name in ("x", "y")]
    made = [await client.post("/v1/clinic", json={"name": "y"}, headers=key) for _ in range(2)]

    assert [each.status for each in (*dry, *made)] == [201] * 4
    assert "Idempotency-Replayed" not in made[0].headers
    assert made[0].headers["Location"] == made[1].headers["Location"]


async def test_concurrent_requests_with_one_key_write_once(client: Client, key: dict[str, str]) -> None:
    answers = await asyncio.gather(*(client.post("/v1/clinic", json={}, headers=key) for _ in range(10)))

    assert {each.status for each in answers} <= {201, 409}
    assert len({each.headers["Location"] for each in answers if each.status == 201}) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "\u00e9"])
async def test_malformed_keys_are_refused(client: Client, key: str) -> None:
    response = await client.post("/v1/clinic", json={}, headers={"Idempotency-Key": key})

    assert response.status == 400


async def test_a_request_whose_answer_was_lost_is_not_done_twice(client: Client, key: dict[str, str]) -> None:
    """The service fell after the write, before the answer was kept: at most the claim of the key is left."""
    made = await client.post("/v1/clinic", json={"log": []}, headers=key)
    path, append = made.headers["Location"], [{"op": "add", "path": "log/-", "value": 1}]
    first = await client.patch(path, json=append, headers={"Idempotency-Key": "p" + key["Idempotency-Key"]})
    await client.patch(path, json=[{"op": "add", "path": "log/-", "value": 2}])
    await forget_answers(client)

    made_again = await client.post("/v1/clinic", json={"log": []}, headers=key)
    again = await client.patch(path, json=append, headers={"Idempotency-Key": "p" + key["Idempotency-Key"]})

    assert (made_again.status, await made_again.read()) == (201, await made.read())
    assert (again.status, again.headers["ETag"], await again.read()) == (200, '"2"', await first.read())
    assert (await (await client.get(path)).json())["log"] == [1, 2]


async def test_the_key_of_a_killed_instance_is_busy_for_a_while_and_then_free(
    client: Client, key: dict[str, str]
) -> None:
    made = await client.post("/v1/clinic", json={"name": "x"}, headers=key)
    now = datetime.now(UTC)

    change_claims(client, {"$unset": {"status": ""}, "$set": {"running": now + timedelta(seconds=60)}})
    busy = await client.post("/v1/clinic", json={"name": "x"}, headers=key)
    change_claims(client, {"$set": {"running": now}})
    again = await client.post("/v1/clinic", json={"name": "x"}, headers=key)

    assert (busy.status, (await busy.json())["code"], busy.headers["Retry-After"]) == (
        409,
        "idempotency-key-in-use",
        "2",
    )
    assert (again.status, await again.read()) == (201, await made.read())


COMPARISON = {"a": {"type": "inline", "value": 1}, "b": {"type": "inline", "value": 2}}


async def test_a_comparison_is_recorded_once_under_a_key(client: Client, key: dict[str, str]) -> None:
    form = {"a": "[1]", "b": "[2]"}
    first = await client.post("/api/json/v1/patch?store=true", data=form_data(form), headers=key)
    again = await client.post("/api/json/v1/patch?store=true", data=form_data(form), headers=key)

    assert (first.status, again.status) == (201, 201)
    assert again.headers["Location"] == first.headers["Location"]
    assert (await (await client.get(again.headers["Location"])).json())["patch"] == await again.json()


@pytest.mark.parametrize(
    "other",
    [COMPARISON | {"b": {"type": "inline", "value": 3}}, COMPARISON | {"patchDirection": "bToA"}],
    ids=["input", "direction"],
)
async def test_another_comparison_under_the_key_is_refused(
    client: Client, key: dict[str, str], other: dict[str, Any]
) -> None:
    first = await client.post("/api/json/v1/patch?store=true", json=COMPARISON, headers=key)

    answer = await client.post("/api/json/v1/patch?store=true", json=other, headers=key)

    assert (answer.status, (await answer.json())["code"]) == (422, "idempotency-key-reused")
    assert (await (await client.get(first.headers["Location"])).json())["patch"] == await first.json()


def form_data(parts: dict[str, str]) -> FormData:
    form = FormData()
    for name, text in parts.items():
        form.add_field(name, text, content_type="application/json")
    return form


def change_claims(client: Client, update: dict[str, Any]) -> None:
    with claims(client) as collection:
        collection.update_many({}, update)


async def forget_answers(client: Client) -> None:
    with claims(client) as collection:
        collection.delete_many({})


@contextmanager
def claims(client: Client) -> Iterator[Collection[dict[str, Any]]]:
    settings = client.app[SETTINGS]
    with pymongo.MongoClient[dict[str, Any]](settings.mongodb_uri) as mongo:
        yield mongo[settings.mongodb_database]["idempotency"]
