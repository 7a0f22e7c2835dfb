"""What earlier versions have stored is read by this one: records in the shapes that they once had."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from service.app import create_app
from service.core.assignment import CompareAssignment
from service.core.work import encode_work
from service.settings import Settings
from service.store.mongo import Database, connect

Client = TestClient[web.Request, web.Application]
TIME = "2026-11-21T20:00:00.000000Z"


@pytest.fixture(name="own")
async def make_database(settings: Settings) -> AsyncIterator[Database]:
    """A database of the test's own, before a service is on it."""
    client = connect(str(settings.mongodb_uri))
    name = f"{settings.mongodb_database[:20]}-{uuid.uuid4().hex[:8]}"
    yield client[name]
    await client.drop_database(name)
    client.close()


@pytest.fixture(name="upgrade")
def make_starter(
    aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings, own: Database
) -> Callable[[], Awaitable[Client]]:
    """Start the service on the database."""
    later = msgspec.structs.replace(settings, mongodb_database=own.name, events_kept_days=36_500.0)
    return lambda: aiohttp_client(create_app(later))


async def test_events_that_had_a_record_each_are_followed_by_those_that_share_one(
    own: Database, upgrade: Callable[[], Awaitable[Client]]
) -> None:
    made = {"type": "resource.created", "resourceType": "clinic", "version": 1, "at": TIME, "by": "ann", "why": None}
    await own["events"].insert_many([{"_id": at, "resource": f"r{at}", **made} for at in (1, 2, 3)])
    await own["counters"].insert_one({"_id": "feed", "n": 3})
    client = await upgrade()
    added = (await (await client.post("/v1/clinic", json={"name": "new"})).json())["id"]

    async with asyncio.timeout(60):
        while len(events := await (await client.get("/events?after=1")).json()) < 3:
            await asyncio.sleep(0.05)

    assert [(each["position"], each["resourceId"]) for each in events] == [(2, "r2"), (3, "r3"), (4, added)]


def a_job(**members: Any) -> dict[str, Any]:
    """A job as it waits in the database."""
    now = datetime.now(UTC)
    nothing = {"started_at": None, "finished_at": None, "callback": None, "result": None, "failure": None}
    return {
        "_id": "job",
        "status": "QUEUED",
        "work": encode_work(CompareAssignment()),
        "fingerprint": "f",
        "inputs": ["a", "b"],
        "created_by": "anonymous",
        "created_at": TIME,
        "stage": 0,
        "attempt": 0,
        "keep_result": True,
        "bounded": False,
        "due": now,
        "expires": now + timedelta(days=1),
        **nothing,
        **members,
    }


async def over(client: Client) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            job: dict[str, Any] = await (await client.get("/api/json/v1/jobs/job")).json()
            if job["jobStatus"] not in ("QUEUED", "STARTED"):
                return job
            await asyncio.sleep(0.05)


async def test_a_job_that_waited_under_the_old_names_of_its_inputs_is_carried_out(
    own: Database, upgrade: Callable[[], Awaitable[Client]]
) -> None:
    await own["jobs"].insert_one(a_job())
    await own["job_parts"].insert_many([{"_id": f"job:{name}:0", "bytes": b"1", "parts": 1} for name in "ab"])

    job = await over(await upgrade())

    assert job["jobStatus"] == "SUCCESS", job


async def test_a_job_whose_inputs_are_gone_says_so(own: Database, upgrade: Callable[[], Awaitable[Client]]) -> None:
    await own["jobs"].insert_one(a_job())

    job = await over(await upgrade())

    assert (job["jobStatus"], job["error"]["code"]) == ("FAILED", "gone")


async def test_a_request_sent_again_across_an_upgrade_is_the_same_request(
    own: Database, upgrade: Callable[[], Awaitable[Client]]
) -> None:
    """The digests that it is known by must not change from version to version."""
    kept = {"status": 201, "headers": {"ETag": '"7"'}, "body": b"{}"}
    now = datetime.now(UTC)
    record = {"_id": KEY, "fingerprint": REQUEST, "running": now, "expires": now + timedelta(days=1)}
    await own["idempotency"].insert_one(record | kept)

    again = await (await upgrade()).post("/v1/clinic", json={"name": "A"}, headers={"Idempotency-Key": "k"})

    assert (again.status, again.headers["ETag"], again.headers.get("Idempotency-Replayed")) == (201, '"7"', "true")


KEY = "1d8715d37a72f5b96683a2ed2b121c5d36fb82bd29255adb433f5d0413b4880a"
"""What the key `k` of an anonymous caller is kept under."""
REQUEST = "154835eda7a3b799be33c1dc22ffe2a15c7e9d8af038acb50d8db6618fce169c"
"""The digest of the request above."""
