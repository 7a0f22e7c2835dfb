"""Times found and versions forgotten behind the log: in `revisions`, bucket by bucket."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from service.app import SystemClock
from service.core.timestamp import format_timestamp
from service.model import Attribution, Change, Draft
from service.store.commits import Commits
from service.store.indexes import ensure_indexes
from service.store.leases import Leases
from service.store.mongo import Database
from service.store.records import Statement
from service.store.resources import MongoResources
from service.store.retention import Bucket, MongoRetention, forgettable
from service.store.timeline import MongoTimeline
from service.workers.retaining import Retainer
from tests.integration.changes import create, patch

START = datetime(2026, 1, 1, tzinfo=UTC)


class SteppingClock:
    """Every look at it is a minute later."""

    def __init__(self) -> None:
        self.minutes = 0

    def now(self) -> datetime:
        self.minutes += 1
        return START + timedelta(minutes=self.minutes)


def counted(draft: Draft | None) -> Change:
    """Count one further; the counter is the version."""
    if draft is None:
        return Change(kind="create", content={"n": 1})
    n = draft.content["n"]
    return Change(
        kind="patch",
        content={"n": n + 1},
        forward=b'[{"op":"replace","path":"/n","value":%d}]' % (n + 1),
        inverse=b'[{"op":"replace","path":"/n","value":%d}]' % n,
    )


@pytest.fixture(name="store")
async def open_store(database: Database) -> AsyncIterator[MongoResources]:
    await ensure_indexes(database)
    store = MongoResources(database, SteppingClock())
    async with store.relay:
        yield store


@pytest.fixture(name="counter")
async def make_counter(store: MongoResources) -> str:
    """A resource of 200 versions in buckets of 1 to 9, the last seven still in the log."""
    name = f"counter-{uuid.uuid4()}"
    for version in range(1, 201):
        await store.write(name, "counter", counted, Attribution(by="test"))
        if version < 194 and version % (1 + version % 9) == 0:
            await store.relay.drain([name])
    return name


async def test_every_moment_has_its_version(store: MongoResources, counter: str, database: Database) -> None:
    timeline = MongoTimeline(database)
    times = {each.version: each.at for each in (await store.list_revisions(counter, limit=500)).revisions}

    found = {version: await timeline.find_version_at(counter, at) for version, at in times.items()}
    between = format_timestamp(datetime.fromisoformat(times[77]) + timedelta(seconds=1))

    assert len(times) == 200
    assert found == {version: version for version in times}
    assert await timeline.find_version_at(counter, between) == 77
    assert await timeline.find_version_at(counter, "2025-12-31T00:00:00.000000Z") is None
    assert await timeline.find_version_at("nothing", times[1]) is None


async def test_all_but_the_newest_versions_are_forgotten(
    store: MongoResources, counter: str, database: Database
) -> None:
    await store.relay.drain([counter])
    await database["revisions"].update_many({"resource": counter}, {"$unset": {"unfed": ""}})

    assert await MongoRetention(database).trim(20, "") >= 1

    kept = [each.version for each in (await store.list_revisions(counter, limit=500)).revisions]
    assert kept == list(range(200, 200 - len(kept), -1))
    assert 20 <= len(kept) < 40
    oldest = await store.find_version(counter, kept[-1])
    assert oldest is not None
    assert oldest.text == b'{"n":%d}' % kept[-1]
    assert await store.find_version(counter, kept[-1] - 1) is None
    assert await MongoTimeline(database).find_version_at(counter, format_timestamp(START)) is None
    assert await database["snapshots"].count_documents({"_id": {"$regex": f"^{counter}:"}}) == 1


async def test_what_stood_since_then_is_kept(store: MongoResources, counter: str, database: Database) -> None:
    await store.relay.drain([counter])
    await database["revisions"].update_many({"resource": counter}, {"$unset": {"unfed": ""}})
    times = {each.version: each.at for each in (await store.list_revisions(counter, limit=500)).revisions}

    await MongoRetention(database).trim(0, times[100])

    kept = [each.version for each in (await store.list_revisions(counter, limit=500)).revisions]
    assert 90 < kept[-1] <= 100


async def test_what_the_feed_has_not_taken_is_kept(store: MongoResources, counter: str, database: Database) -> None:
    await store.relay.drain([counter])

    await MongoRetention(database).trim(1, "")

    assert len((await store.list_revisions(counter, limit=500)).revisions) == 200


@pytest.mark.parametrize(
    ("versions", "since", "upto"),
    [(3, "", 9), (4, "", 6), (100, "", 0), (0, "b", 3), (0, "a", 0), (0, "z", 9), (4, "z", 6), (1, "b", 3)],
)
def test_the_newest_bucket_stays_and_either_setting_keeps(versions: int, since: str, upto: int) -> None:
    buckets = [Bucket(3, "a"), Bucket(6, "b"), Bucket(9, "c"), Bucket(12, "d")]

    assert forgettable(buckets, versions, since) == upto


async def test_large_patches_go_with_the_versions_that_they_belong_to(
    store: MongoResources, database: Database
) -> None:
    name = f"large-{uuid.uuid4()}"
    ann = Attribution(by="ann")
    await store.write(name, "text", create({"text": ""}), ann)
    for letter in "abcd":
        await store.write(name, "text", patch({"op": "replace", "path": "/text", "value": letter * 30_000}), ann)
        await store.relay.drain([name])  # each version in a bucket of its own, beside the relay that runs
    await database["revisions"].update_many({"resource": name}, {"$unset": {"unfed": ""}})
    large = {"_id": {"$regex": f"^{name}:"}}
    before = await database["large_patches"].count_documents(large)

    assert await MongoRetention(database).trim(2, "") >= 1

    assert [each.version for each in (await store.list_revisions(name)).revisions] == [5, 4]
    assert 0 < await database["large_patches"].count_documents(large) < before
    found = await store.find_version(name, 4)
    assert found is not None
    assert msgspec.json.decode(found.text) == {"text": "c" * 30_000}
    assert await MongoRetention(database).trim(0, "") == 0


async def test_version_of_a_moment_ago_is_found_by_the_writer_that_asks_what_became_of_it(database: Database) -> None:
    """However few versions are kept: who hears that it is not there makes the change again."""
    store = MongoResources(database, SystemClock())
    name = f"counter-{uuid.uuid4()}"
    for _ in range(4):
        await store.write(name, "counter", counted, Attribution(by="test"))
        await store.relay.drain([name])
    await database["revisions"].update_many({"resource": name}, {"$unset": {"unfed": ""}})
    second = (await store.list_revisions(name)).revisions[2]
    statement = Statement(name, 1, 2, second.write_id, {}, 0, 0)
    await database["leases"].delete_many({})

    await Retainer(MongoRetention(database), Leases(database), SystemClock(), versions=1, days=0)._trim()

    assert second.version == 2
    assert await Commits(database, lambda _: None).settle([statement]) == {second.write_id: True}
