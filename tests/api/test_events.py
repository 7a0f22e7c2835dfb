"""The feed, followed from outside."""

import asyncio
import contextlib
import json
from typing import Any

import pytest
from aiohttp import ClientTimeout, web
from aiohttp.test_utils import TestClient
from pymongo.read_concern import ReadConcern

from service.api import events
from service.app import create_app
from service.errors import StoreUnavailableError
from service.keys import FEED, FOLLOWERS
from service.settings import Settings
from service.store.feed import MongoFeed
from service.store.mongo import connect
from service.workers import feeding
from tests.api.conftest import Starter

Client = TestClient[web.Request, web.Application]


async def latest(client: Client) -> int:
    """Wait until what other tests did is in the feed, and return its end."""
    feed = client.app[FEED]
    while await feed.advance():
        pass
    return await feed.last_position()


async def create(client: Client, **content: Any) -> str:
    response = await client.post("/v1/clinic", json=content)
    assert response.status == 201
    return str((await response.json())["id"])


async def read(client: Client, after: int, count: int, resource_id: str) -> list[dict[str, Any]]:
    """Follow the list until there are so many events of the resource."""
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(30):
        while len(events) < count:
            response = await client.get(f"/events?after={after}&wait=5")
            assert response.status == 200
            page = await response.json()
            events += [event for event in page if event["resourceId"] == resource_id]
            after = page[-1]["position"] if page else after
    return events


async def test_versions_of_a_resource_come_in_their_order(client: Client) -> None:
    start = await latest(client)
    resource = await create(client, name="A")
    for number in range(5):
        patch = [{"op": "replace", "path": "/name", "value": str(number)}]
        await client.patch(f"/v1/clinic/{resource}", json=patch)
    await client.delete(f"/v1/clinic/{resource}")

    events = await read(client, start, 7, resource)

    assert [event["version"] for event in events] == [1, 2, 3, 4, 5, 6, 7]
    assert [event["type"] for event in events] == ["resource.created", *["resource.patched"] * 5, "resource.deleted"]
    assert {event["resourceType"] for event in events} == {"clinic"}
    positions = [event["position"] for event in events]
    assert positions == sorted(set(positions))


async def test_stream_goes_on_from_the_last_event_seen(client: Client) -> None:
    """A reader that hangs up after every event, a hundred times, misses nothing and sees nothing twice."""
    seen = [await latest(client)]
    wanted = [await create(client, number=number) for number in range(100)]
    got: list[str] = []

    async with asyncio.timeout(60):
        while len(got) < len(wanted):
            headers = {"Accept": "text/event-stream", "Last-Event-ID": str(seen[-1])}
            response = await client.get("/events", headers=headers, timeout=ClientTimeout(total=60))
            assert response.content_type == "text/event-stream"
            event = await next_event(response.content)
            seen.append(int(event["id"]))
            if event["resource"] in wanted:
                got.append(event["resource"])
            response.close()

    assert sorted(got) == sorted(wanted)
    assert seen == sorted(set(seen))


async def test_readers_that_hang_up_follow_no_more(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else those who come back often would be counted many times, and the feed read for them.

    The server is the one that runs outside of tests, too: it tells no handler that its reader has left.
    """
    monkeypatch.setattr(events, "_HEARTBEAT_S", 3600.0)
    app = create_app(settings)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0]
        for _ in range(5):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"GET /events?after=latest HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
            await reader.readuntil(b": following from here")
            writer.close()

        async with asyncio.timeout(30):
            while app[FOLLOWERS].count:
                await asyncio.sleep(0.05)
    finally:
        await runner.cleanup()


async def test_a_stream_that_cannot_go_on_is_broken_off(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A problem has no place amid it; and its end would say that there is nothing more."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"GET /events?after=latest HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
    await reader.readuntil(b": following from here\n\n\r\n")

    async def list_after(*_: Any) -> Any:
        raise StoreUnavailableError("away")

    monkeypatch.setattr(MongoFeed, "list_after", list_after)
    rest = b""
    async with asyncio.timeout(30):
        with contextlib.suppress(ConnectionResetError):
            rest = await reader.read()
    writer.close()

    assert rest == b""


async def test_who_waits_for_events_is_not_told_slow(start: Starter, caplog: pytest.LogCaptureFixture) -> None:
    client = await start(slow_request_s=0.001)

    assert (await client.get("/events?after=latest&wait=0.1")).status == 200

    assert [each.getMessage() for each in caplog.records if each.getMessage().startswith("slow")] == []


async def next_event(stream: Any) -> dict[str, str]:
    fields: dict[str, str] = {}
    while True:
        line = (await stream.readline()).decode().rstrip("\n")
        if not line and "data" in fields:
            return {**fields, "resource": json.loads(fields["data"])["resourceId"]}
        name, _, value = line.partition(": ")
        if name:
            fields[name] = value


async def test_a_reader_that_waits_is_told_at_once(start: Starter, settings: Settings) -> None:
    client = await start(mongodb_database=f"{settings.mongodb_database}-feed")  # where nothing else happens
    position = await latest(client)
    waiting = asyncio.create_task(client.get(f"/events?after={position}&wait=30"))
    await asyncio.sleep(0)

    resource = await create(client, name="A")

    async with asyncio.timeout(15):
        response = await waiting
    assert [event["resourceId"] for event in await response.json()] == [resource]
    assert f"after={position + 1}" in response.headers["Link"]


async def test_changes_are_followed_while_somebody_waits_for_events(
    start: Starter, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every write the database would look whether it is told of."""
    monkeypatch.setattr(feeding, "_UNWANTED_AFTER_S", 1.0)
    name = f"{settings.mongodb_database}-follow"  # where nobody else follows, and nothing else happens
    client = await start(mongodb_database=name)
    with contextlib.closing(connect(settings.mongodb_uri or "")) as driver:
        server = driver.get_database("admin", read_concern=ReadConcern("local"))

        async def follows() -> bool:
            found = server.aggregate([{"$currentOp": {"idleCursors": True}}])
            return f"{name}.counters" in [each.get("ns") async for each in found if "cursor" in each]

        assert not await follows()
        waiting = asyncio.create_task(client.get("/events?after=latest&wait=30"))
        async with asyncio.timeout(60):
            while not await follows():
                await asyncio.sleep(0.05)
            await create(client)
            await waiting
            while await follows():
                await asyncio.sleep(0.05)


async def test_events_that_are_kept_no_more_are_gone(client: Client) -> None:
    await create(client, name="A")
    await read_any(client, 0)  # else nothing might be there yet that can be kept no more
    start = await latest(client)
    feed = client.app[FEED]
    assert isinstance(feed, MongoFeed)
    await create(client, name="B")
    await read_any(client, start)
    await feed.trim("9999")

    response = await client.get(f"/events?after={start}")

    assert response.status == 410
    assert (await response.json())["code"] == "events-gone"
    assert (await client.get("/events?after=latest")).status == 200


async def read_any(client: Client, after: int) -> None:
    async with asyncio.timeout(30):
        while not await (await client.get(f"/events?after={after}&wait=5")).json():
            pass


@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=1e3", "wait=61", "wait=x", "wait=nan", "limit=0"])
async def test_what_makes_no_sense_is_refused(client: Client, query: str) -> None:
    response = await client.get(f"/events?{query}")

    assert response.status == 400
    assert (await response.json())["code"] == "invalid-request"
