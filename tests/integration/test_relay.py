import asyncio
import contextlib
import os
import signal
import uuid
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from service.core import values
from service.core.timestamp import format_timestamp
from service.store import draining
from service.store.leases import Leases
from service.store.mongo import Client, Database, connect
from service.store.mongod import MongodProcess
from service.store.resources import MongoResources
from tests.clocks import ShiftedClock
from tests.integration.changes import ANN, create, increment, patch


@pytest.fixture(name="clock")
def make_clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture(name="resources")
def make_resources(database: Database, clock: ShiftedClock) -> MongoResources:
    """A store whose relay does not run, except where a test says so."""
    return MongoResources(database, clock)


@pytest.fixture(name="identity")
def make_identity() -> str:
    return str(uuid.uuid4())


async def write_versions(resources: MongoResources, identity: str, count: int) -> None:
    await resources.write(identity, "counter", create({}), ANN)
    await asyncio.gather(*(resources.write(identity, "counter", increment("n"), ANN) for _ in range(count - 1)))


async def log_of(database: Database, identity: str) -> list[int]:
    record = await database["resources"].find_one({"_id": identity})
    assert record is not None
    assert (record["logBytes"] == 0) == (record["log"] == [])
    assert ("undrained" in record) == (record["log"] != [])
    return [entry["v"] for entry in record["log"]]


async def until_drained(database: Database, identity: str) -> None:
    while await log_of(database, identity):
        await asyncio.sleep(0.05)


async def test_drained_log_is_empty_and_the_history_is_the_same(
    resources: MongoResources, database: Database, identity: str
) -> None:
    await write_versions(resources, identity, 5)
    before = (await resources.list_revisions(identity)).revisions

    await resources.relay.drain([identity])

    assert await log_of(database, identity) == []
    assert (await resources.list_revisions(identity)).revisions == before
    assert (await resources.list_revisions(identity, before=4, limit=2)).revisions == before[2:4]
    assert [each.version for each in before] == [5, 4, 3, 2, 1]


async def test_running_relay_drains_what_is_written(
    resources: MongoResources, database: Database, identity: str
) -> None:
    async with resources.relay:
        await write_versions(resources, identity, 5)

        await until_drained(database, identity)

    assert len((await resources.list_revisions(identity)).revisions) == 5


async def test_running_relay_drains_what_another_left_behind(
    resources: MongoResources, database: Database, clock: ShiftedClock, identity: str
) -> None:
    await write_versions(resources, identity, 3)
    clock.ahead = timedelta(seconds=16)
    await database["leases"].delete_many({})

    async with MongoResources(database, clock).relay:
        await until_drained(database, identity)

    assert len((await resources.list_revisions(identity)).revisions) == 3


async def test_many_relays_at_once_keep_every_revision_once(
    resources: MongoResources, database: Database, clock: ShiftedClock, identity: str
) -> None:
    others = [MongoResources(database, clock) for _ in range(3)]
    await resources.write(identity, "counter", create({}), ANN)

    async def keep_draining(store: MongoResources, writing: asyncio.Task[None]) -> None:
        while not writing.done():
            await store.relay.drain([identity])

    async def keep_writing() -> None:
        for _ in range(100):
            await resources.write(identity, "counter", increment("n"), ANN)

    writing = asyncio.create_task(keep_writing())
    await asyncio.gather(*(keep_draining(store, writing) for store in others))
    await writing
    await resources.relay.drain([identity])

    assert await log_of(database, identity) == []
    assert [each.version for each in (await resources.list_revisions(identity, limit=200)).revisions] == list(
        range(101, 0, -1)
    )
    buckets = database["revisions"].find({"resource": identity}, sort=[("_id", 1)])
    assert [entry["v"] async for bucket in buckets for entry in bucket["entries"]] == list(range(1, 102))


@pytest.mark.parametrize("is_drained", [False, True], ids=["in the log", "drained"])
async def test_every_version_is_found_across_snapshots(
    resources: MongoResources, identity: str, is_drained: bool
) -> None:
    await write_versions(resources, identity, 150)
    if is_drained:
        await resources.relay.drain([identity])

    found = [await resources.find_version(identity, version) for version in (1, 2, 63, 64, 65, 128, 129, 149, 150)]

    assert [each and each.text for each in found] == [
        b"{}",
        *(b'{"n":%d}' % (version - 1) for version in (2, 63, 64, 65, 128, 129, 149, 150)),
    ]


@pytest.mark.parametrize("is_drained", [False, True], ids=["in the log", "drained"])
async def test_large_patches_are_kept_beside_the_log(
    resources: MongoResources, database: Database, identity: str, is_drained: bool
) -> None:
    await resources.write(identity, "large", create({"text": "a" * 5_000_000}), ANN)
    operation = {"op": "replace", "path": "/text", "value": "b" * 9_000_000}
    await resources.write(identity, "large", patch(operation), ANN)
    if is_drained:
        await resources.relay.drain([identity])

    newest = (await resources.list_revisions(identity)).revisions[0]
    first = await resources.find_version(identity, 1)
    record = await database["resources"].find_one({"_id": identity})

    assert values.decode(newest.forward, max_depth=9) == [operation]
    assert first is not None
    assert first.text == b'{"text":"%s"}' % (b"a" * 5_000_000)
    assert record is not None
    assert record["logBytes"] < 1000


async def test_log_that_nobody_drains_is_drained_by_its_writer(
    resources: MongoResources, database: Database, identity: str
) -> None:
    await resources.write(identity, "large", create({"text": ""}), ANN)
    for number in range(300):
        text = f"{number}" + "x" * 7_000
        await resources.write(identity, "large", patch({"op": "add", "path": "/text", "value": text}), ANN)

    record = await database["resources"].find_one({"_id": identity})

    assert record is not None
    assert record["v"] == 301
    assert record["logBytes"] < 2_200_000
    assert len((await resources.list_revisions(identity, limit=500)).revisions) == 301


async def test_lease_is_held_by_one_until_it_is_given_back_or_runs_out(database: Database) -> None:
    name = uuid.uuid4().hex
    first, second = Leases(database), Leases(database)

    assert [await first.acquire(name, 60), await second.acquire(name, 60)] == [True, False]
    assert await first.acquire(name, 60)

    await second.release(name)
    assert not await second.acquire(name, 60)

    await first.release(name)
    assert await second.acquire(name, 0.01)
    await asyncio.sleep(0.05)
    assert await first.acquire(name, 60)


async def test_lease_asked_for_by_many_at_once_goes_to_one(database: Database) -> None:
    name = uuid.uuid4().hex

    outcomes = await asyncio.gather(*(Leases(database).acquire(name, 60) for _ in range(20)))

    assert outcomes.count(True) == 1


async def test_drain_goes_on_behind_what_another_kept_and_did_not_cut(
    resources: MongoResources, database: Database, identity: str
) -> None:
    """A relay that died between the two, or that is between them now."""
    await write_versions(resources, identity, 3)
    record = await database["resources"].find_one({"_id": identity})
    assert record is not None
    await database["revisions"].insert_one(draining._to_bucket(record))
    for _ in range(2):
        await resources.write(identity, "counter", increment("n"), ANN)
    before = (await resources.list_revisions(identity)).revisions

    await resources.relay.drain([identity])

    assert await log_of(database, identity) == []
    assert [each.version for each in before] == [5, 4, 3, 2, 1]
    assert (await resources.list_revisions(identity)).revisions == before
    buckets = database["revisions"].find({"resource": identity}, sort=[("_id", 1)])
    assert [[entry["v"] for entry in bucket["entries"]] async for bucket in buckets] == [[1, 2, 3], [4, 5]]


async def test_relay_comes_back_for_what_is_behind_another_ones_bundle(
    resources: MongoResources, database: Database, clock: ShiftedClock, identity: str
) -> None:
    """Nobody writes any more: what is left there waits for no sweep, and the followers of events neither."""
    other = MongoResources(database, clock)
    await write_versions(other, identity, 3)
    await other.relay.advance()
    await resources.write(identity, "counter", increment("n"), ANN)

    await resources.relay.advance()
    assert await log_of(database, identity) == [1, 2, 3, 4]
    await resources.relay.advance()

    assert await log_of(database, identity) == [4]
    buckets = database["revisions"].find({"resource": identity}, sort=[("_id", 1)])
    assert [bucket["last"] async for bucket in buckets] == [3, 4]


async def test_relay_comes_back_for_what_it_could_not_copy(tmp_path: Path, clock: ShiftedClock, identity: str) -> None:
    """With its next round, not with a sweep: what was written before an outage is in the history soon after it."""
    with MongodProcess(tmp_path) as server, contextlib.closing(connect(server.uri)) as client:
        resources = MongoResources(client.relay, clock)
        await write_versions(resources, identity, 3)
        os.kill(server.pid, signal.SIGKILL)
        while server.exit_code() is None:
            await asyncio.sleep(0.01)
        await resources.relay.advance()

        server.respawn()
        await asyncio.to_thread(server.wait_until_primary)
        await resources.relay.advance()

        assert [bucket["last"] async for bucket in client.relay["revisions"].find()] == [3]


async def test_log_that_is_never_empty_does_not_seem_left_behind(
    resources: MongoResources, database: Database, clock: ShiftedClock, identity: str
) -> None:
    """What is cut waits no more: else the sweep would come again and again, and a check would find fault."""
    await write_versions(resources, identity, 3)
    for _ in range(3):
        clock.ahead += timedelta(seconds=10)
        await resources.write(identity, "counter", increment("n"), ANN)
        since = format_timestamp(clock.now())
        await resources.write(identity, "counter", increment("n"), ANN)
        await resources.relay.advance()
        await MongoResources(database, clock).write(identity, "counter", increment("n"), ANN)
        await resources.relay.advance()

        record = await database["resources"].find_one({"_id": identity})
        assert record is not None
        assert since < record["undrained"] <= record["log"][0]["at"]


async def test_relay_that_saw_less_than_another_kept_cuts_nothing(
    resources: MongoResources, database: Database, identity: str
) -> None:
    """What it would cut has been kept in a longer bundle, whose relay cuts too; the next drain makes it good."""
    await write_versions(resources, identity, 3)
    record = await database["resources"].find_one({"_id": identity})
    assert record is not None
    await database["revisions"].insert_one({**draining._to_bucket(record), "last": 4})

    await resources.relay.drain([identity])
    assert await log_of(database, identity) == [1, 2, 3]

    await database["revisions"].update_one({"resource": identity}, {"$set": {"last": 3}})
    await resources.relay.drain([identity])
    assert await log_of(database, identity) == []


async def test_sweep_rests_where_it_gets_no_further(
    mongo: Client, database: Database, clock: ShiftedClock, identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A history that goes beyond its resource is damage: nothing of such a log can be cut, however often one tries."""
    damaged = mongo[f"{database.name}-damaged"]
    resources = MongoResources(damaged, clock)
    await write_versions(resources, identity, 3)
    record = await damaged["resources"].find_one({"_id": identity})
    assert record is not None
    await damaged["revisions"].insert_one({**draining._to_bucket(record), "last": 4})
    clock.ahead = timedelta(seconds=16)
    tried = []
    copy = draining.Drain.copy

    async def count(drain: draining.Drain, resource_ids: Sequence[str]) -> list[draining.Copied]:
        tried.append(resource_ids)
        return await copy(drain, resource_ids)

    monkeypatch.setattr(draining.Drain, "copy", count)
    async with MongoResources(damaged, clock).relay:
        async with asyncio.timeout(30):
            while not tried:
                await asyncio.sleep(0.05)
        await asyncio.sleep(1)
    await mongo.drop_database(damaged.name)

    assert tried == [[identity]]


async def test_what_another_kept_and_nobody_can_see_is_not_cut(
    resources: MongoResources, database: Database, identity: str
) -> None:
    await write_versions(resources, identity, 3)
    record = await database["resources"].find_one({"_id": identity})
    assert record is not None
    bucket = draining._to_bucket(record)
    await database["revisions"].insert_one({**bucket, "resource": f"not-{identity}"})

    await resources.relay.drain([identity])
    assert await log_of(database, identity) == [1, 2, 3]

    await database["revisions"].delete_one({"_id": bucket["_id"]})
    await resources.relay.drain([identity])
    assert await log_of(database, identity) == []


async def test_log_that_was_copied_is_begun_anew_by_the_next_write(
    resources: MongoResources, database: Database, identity: str
) -> None:
    await write_versions(resources, identity, 3)
    await resources.relay.advance()
    assert await log_of(database, identity) == [1, 2, 3]

    await resources.write(identity, "counter", increment("n"), ANN)
    assert await log_of(database, identity) == [4]
    await resources.write(identity, "counter", increment("n"), ANN)
    assert await log_of(database, identity) == [4, 5]

    await resources.relay.advance()
    await resources.relay.advance()
    assert await log_of(database, identity) == []
    assert [each.version for each in (await resources.list_revisions(identity)).revisions] == [5, 4, 3, 2, 1]


async def test_relay_that_ends_cuts_what_it_has_copied(
    resources: MongoResources, database: Database, identity: str
) -> None:
    async with resources.relay:
        await write_versions(resources, identity, 3)
        await resources.relay.advance()

    assert await log_of(database, identity) == []


async def test_log_is_not_begun_anew_where_another_process_has_written_since(
    resources: MongoResources, database: Database, clock: ShiftedClock, identity: str
) -> None:
    other = MongoResources(database, clock)
    await write_versions(resources, identity, 3)
    await resources.relay.advance()

    await other.write(identity, "counter", increment("n"), ANN)
    await resources.write(identity, "counter", increment("n"), ANN)

    assert await log_of(database, identity) == [1, 2, 3, 4, 5]
    await resources.relay.advance()
    assert await log_of(database, identity) == [4, 5]
    await resources.relay.advance()
    assert await log_of(database, identity) == []
    assert [each.version for each in (await resources.list_revisions(identity)).revisions] == [5, 4, 3, 2, 1]


async def test_writers_of_two_processes_and_their_relays_keep_every_revision_once(
    resources: MongoResources, database: Database, clock: ShiftedClock, identity: str
) -> None:
    stores = [resources, MongoResources(database, clock)]
    await resources.write(identity, "counter", create({}), ANN)
    is_over = False

    async def keep_advancing(store: MongoResources) -> None:
        while not is_over:
            await store.relay.advance()
            await asyncio.sleep(0.001)

    async def keep_writing(store: MongoResources) -> None:
        for _ in range(60):
            await store.write(identity, "counter", increment("n"), ANN)

    relays = [asyncio.create_task(keep_advancing(store)) for store in stores]
    await asyncio.gather(*(keep_writing(store) for store in stores))
    is_over = True
    await asyncio.gather(*relays)

    found = await resources.find(identity)
    assert found is not None
    assert (found.version, found.text) == (121, b'{"n":120}')
    history = (await resources.list_revisions(identity, limit=200)).revisions
    assert [each.version for each in history] == list(range(121, 0, -1))
    buckets = await database["revisions"].find({"resource": identity}).to_list(None)
    kept = [entry["v"] for bucket in buckets for entry in bucket["entries"]]
    assert len(kept) == len(set(kept))
