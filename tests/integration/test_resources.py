import asyncio
import os
import signal
import uuid
from typing import Any

import msgspec
import pytest

from service.app import SystemClock
from service.core import values
from service.errors import NotFoundError, NotStorableError, PathNotFoundError
from service.model import Attribution, Change, Draft
from service.store import writer
from service.store.mongo import Database
from service.store.mongod import MongodProcess
from service.store.resources import MongoResources
from service.store.revisions import Revisions
from tests.integration.changes import ANN, create, delete, increment, nothing, patch


@pytest.fixture(name="resources")
def make_resources(database: Database) -> MongoResources:
    return MongoResources(database, SystemClock())


@pytest.fixture(name="identity")
def make_identity() -> str:
    return str(uuid.uuid4())


async def test_created_resource_is_found(resources: MongoResources, identity: str) -> None:
    written = await resources.write(identity, "clinic", create({"name": "Foot clinic"}), ANN)

    found = await resources.find(identity)

    assert found == written.resource
    assert (found.version, found.type, found.text, found.deleted) == (1, "clinic", b'{"name":"Foot clinic"}', False)


async def test_resource_read_before_is_read_as_it_stands(
    resources: MongoResources, database: Database, identity: str
) -> None:
    other = MongoResources(database, SystemClock())
    created = (await resources.write(identity, "clinic", create({"n": 0}), ANN)).resource
    assert [await resources.find(identity) for _ in range(2)] == [created, created]

    written = (await other.write(identity, "clinic", increment("n"), ANN)).resource
    assert [await resources.find(identity) for _ in range(2)] == [written, written]

    put_back = {"content": {"n": 7}, "updated": "2026-01-02T03:04:05.000006Z"}
    await database["resources"].update_one({"_id": identity}, {"$set": put_back})
    stands = await resources.find(identity)
    assert stands is not None
    assert (stands.version, stands.text) == (2, b'{"n":7}')

    await database["resources"].delete_one({"_id": identity})
    assert await resources.find(identity) is None


async def test_resource_that_never_was_is_none(resources: MongoResources, identity: str) -> None:
    assert await resources.find(identity) is None
    with pytest.raises(NotFoundError):
        await resources.write(identity, "clinic", nothing, ANN)


async def test_patched_resource_has_the_next_version_and_keeps_how_it_came(
    resources: MongoResources, identity: str
) -> None:
    await resources.write(identity, "clinic", create({"name": "a"}), ANN)
    operation = {"op": "replace", "path": "/name", "value": "b"}

    written = await resources.write(identity, "clinic", patch(operation), Attribution(by="bob", why="typo"))

    newest, first = (await resources.list_revisions(identity)).revisions
    assert (written.resource.version, written.changed, written.resource.text) == (2, True, b'{"name":"b"}')
    assert (newest.version, newest.by, newest.why, newest.kind) == (2, "bob", "typo", "patch")
    assert values.decode(newest.forward, max_depth=9) == [operation]
    assert values.decode(newest.inverse, max_depth=9) == [{"op": "replace", "path": "/name", "value": "a"}]
    assert (first.version, first.kind) == (1, "create")


async def test_change_that_sees_nothing_to_do_leaves_everything_as_it_is(
    resources: MongoResources, identity: str
) -> None:
    created = await resources.write(identity, "clinic", create({"name": "a"}), ANN)

    written = await resources.write(identity, "clinic", nothing, ANN)

    assert (written.changed, written.resource) == (False, created.resource)
    assert await resources.find(identity) == created.resource


async def test_dry_run_answers_what_would_be_and_writes_nothing(resources: MongoResources, identity: str) -> None:
    created = await resources.write(identity, "clinic", create({"name": "a"}), ANN)

    dry = await resources.write(identity, "clinic", increment("n"), ANN, dry_run=True)

    assert (dry.resource.version, dry.resource.text) == (2, b'{"name":"a","n":1}')
    assert await resources.find(identity) == created.resource


async def test_change_that_raises_tells_its_caller_alone(resources: MongoResources, identity: str) -> None:
    await resources.write(identity, "clinic", create({"n": 0}), ANN)
    half = patch({"op": "replace", "path": "/n", "value": 100}, {"op": "remove", "path": "/never"})

    outcomes = await asyncio.gather(
        resources.write(identity, "clinic", increment("n"), ANN),
        resources.write(identity, "clinic", half, ANN),
        resources.write(identity, "clinic", increment("n"), ANN),
        return_exceptions=True,
    )

    found = await resources.find(identity)
    assert isinstance(outcomes[1], PathNotFoundError)
    assert found is not None
    assert (found.version, found.text) == (3, b'{"n":2}')


async def test_deleted_resource_keeps_its_content(resources: MongoResources, identity: str) -> None:
    await resources.write(identity, "clinic", create({"name": "a"}), ANN)

    await resources.write(identity, "clinic", delete, ANN)

    found = await resources.find(identity)
    assert found is not None
    assert (found.deleted, found.version, found.text) == (True, 2, b'{"name":"a"}')


async def test_resource_is_found_at_every_version_it_had(resources: MongoResources, identity: str) -> None:
    await resources.write(identity, "clinic", create({}), ANN)
    for _ in range(5):
        await resources.write(identity, "clinic", increment("n"), ANN)
    await resources.write(identity, "clinic", delete, ANN)

    found = [await resources.find_version(identity, version) for version in range(9)]

    assert [each and (each.version, each.text, each.deleted) for each in found] == [
        None,
        (1, b"{}", False),
        *((2 + n, b'{"n":%d}' % (n + 1), False) for n in range(5)),
        (7, b'{"n":5}', True),
        None,
    ]


async def test_hundred_writers_of_two_instances_leave_every_change(database: Database, identity: str) -> None:
    instances = [MongoResources(database, SystemClock()) for _ in range(2)]
    await instances[0].write(identity, "counter", create({}), ANN)

    async def keep_writing(number: int) -> list[int]:
        store = instances[number % 2]
        written = [await store.write(identity, "counter", increment(f"w{number}"), ANN) for _ in range(50)]
        return [each.resource.version for each in written]

    versions = await asyncio.gather(*map(keep_writing, range(100)))

    found = await instances[0].find(identity)
    assert found is not None
    assert sorted(version for each in versions for version in each) == list(range(2, 5002))
    assert msgspec.json.decode(found.text) == {f"w{number}": 50 for number in range(100)}


AWKWARD: dict[str, Any] = {
    "dollar": {"$set": {"$a": 1}, "a$": 2, "$": 3},
    "dots": {"a.b": {"..": 1}},
    "empty": {"": {"": None}},
    "nul": {"a\0b": "c\0d"},
    "percent": {"%": 1, "%i": "2", "%25": 3, "100%": 4},
    "references": {"$ref": "x", "$id": 1, "$db": "y", "_id": {"_id": 0}},
    "integers": {"a": 2**31, "b": -(2**63), "c": 2**63, "d": 10**33 + 7, "e": 10**34, "f": -(10**4000), "g": 10**20},
    "floats": {"a": 1.0, "b": -0.0, "c": 5e-324, "d": 1.7976931348623157e308, "e": 0.1},
    "order": {"z": 1, "a": {"y": 1, "b": 2}, "0": 0},
    "scalars": {"a": [True, False, None, 0, 1, "", "\U0001f600", "\ufeff"]},
}


async def test_record_taken_away_by_hand_is_noticed_at_once(
    resources: MongoResources, database: Database, identity: str
) -> None:
    """The writer goes on from what it wrote last; where that is gone, it looks again instead of waiting for it."""

    def count(draft: Draft | None) -> Change | None:
        if draft is None:
            raise NotFoundError("It is gone.")
        return increment("n")(draft)

    await resources.write(identity, "clinic", create({"name": "a"}), ANN)
    await resources.write(identity, "clinic", count, ANN)

    await database["resources"].delete_one({"_id": identity})

    with pytest.raises(NotFoundError):
        await resources.write(identity, "clinic", count, ANN)


async def test_lone_writer_has_its_turn_beside_a_busy_instance(database: Database, identity: str) -> None:
    """Who has just written need not read, so it would be ahead for ever of one who must."""
    busy, lone = (MongoResources(database, SystemClock()) for _ in range(2))
    await busy.write(identity, "counter", create({"n": 0}), ANN)
    is_over = asyncio.Event()

    async def keep_busy() -> int:
        count = 0
        while not is_over.is_set():
            await busy.write(identity, "counter", increment("n"), ANN)
            count += 1
        return count

    rivals = [asyncio.create_task(keep_busy()) for _ in range(24)]
    async with asyncio.timeout(60):
        for _ in range(10):
            await lone.write(identity, "counter", increment("n"), ANN)
    is_over.set()
    done = sum(await asyncio.gather(*rivals))

    found = await lone.find(identity)
    assert found is not None
    assert msgspec.json.decode(found.text) == {"n": 10 + done}
    assert found.version == 11 + done


async def test_write_that_waited_for_the_database_blames_no_other_writers(
    database: Database, mongod: MongodProcess, identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lost one commit, however long that took."""
    monkeypatch.setattr(writer, "_PATIENCE_S", 1.5)
    ours, other = (MongoResources(database, SystemClock()) for _ in range(2))
    await ours.write(identity, "counter", create({"n": 0}), ANN)
    await other.write(identity, "counter", increment("n"), ANN)

    os.kill(mongod.pid, signal.SIGSTOP)
    try:
        writing = asyncio.create_task(ours.write(identity, "counter", increment("n"), ANN))
        await asyncio.sleep(2)
    finally:
        os.kill(mongod.pid, signal.SIGCONT)

    assert (await writing).resource.version == 3


@pytest.mark.parametrize("content", AWKWARD.values(), ids=AWKWARD.keys())
async def test_content_is_stored_exactly(resources: MongoResources, identity: str, content: dict[str, Any]) -> None:
    await resources.write(identity, "awkward", create(content), ANN)

    found = await resources.find(identity)

    assert found is not None
    assert found.text == msgspec.json.encode(content)


def nested(depth: int) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for _ in range(depth - 1):
        content = {"a": content}
    return content


async def test_deepest_content_is_stored_and_one_deeper_is_refused_with_its_pointer(
    resources: MongoResources, identity: str
) -> None:
    await resources.write(identity, "deep", create(nested(99)), ANN)

    with pytest.raises(NotStorableError) as caught:
        await resources.write(identity + "-", "deep", create(nested(100)), ANN)

    assert caught.value.violations[0].pointer == "/a" * 99


async def test_largest_content_is_stored_and_patched_and_a_larger_one_is_refused(
    resources: MongoResources, identity: str
) -> None:
    size = 16 * 1024 * 1024 - 64 * 1024 - 64
    written = await resources.write(identity, "large", create({"text": "x" * size}), ANN)

    await resources.write(identity, "large", patch({"op": "add", "path": "/n", "value": 1}), ANN)
    with pytest.raises(NotStorableError, match="holds 16711680 in one"):
        await resources.write(identity, "large", patch({"op": "add", "path": "/m", "value": "y" * 1000}), ANN)

    found = await resources.find(identity)
    assert found is not None
    assert (found.version, len(found.text)) == (2, len(written.resource.text) + len(',"n":1'))


async def test_write_id_tells_what_became_of_a_write(
    resources: MongoResources, database: Database, identity: str
) -> None:
    await resources.write(identity, "clinic", create({}), ANN)
    await resources.write(identity, "clinic", increment("n"), Attribution(by="ann", write_id="w-1"))

    done = await Revisions(database).find_write(identity, "w-1")

    assert done is not None
    assert done.version == 2
    assert await Revisions(database).find_write(identity, "w-2") is None


async def test_write_id_that_comes_again_is_answered_and_not_done_again(
    resources: MongoResources, identity: str
) -> None:
    await resources.write(identity, "clinic", create({}), ANN)
    attribution = Attribution(by="ann", write_id="w-1")

    same = await asyncio.gather(
        *(resources.write(identity, "clinic", increment("n"), attribution) for _ in range(3)),
        resources.write(identity, "clinic", increment("m"), ANN),
    )
    again = await resources.write(identity, "clinic", increment("n"), attribution)

    found = await resources.find(identity)
    assert {each.resource.version for each in [*same[:3], again]} == {2}
    assert found is not None
    assert msgspec.json.decode(found.text) == {"n": 1, "m": 1}


async def test_writes_too_large_together_are_done_one_by_one(resources: MongoResources, identity: str) -> None:
    await resources.write(identity, "large", create({}), ANN)

    def grow(draft: Draft | None) -> Change:
        assert draft is not None
        name = f"part{draft.version}"
        return Change(kind="patch", content={**draft.content, name: "x" * 6_000_000}, forward=b"[]", inverse=b"[]")

    outcomes = await asyncio.gather(
        *(resources.write(identity, "large", grow, ANN) for _ in range(4)), return_exceptions=True
    )

    found = await resources.find(identity)
    assert [type(each) is NotStorableError for each in outcomes] == [False, False, True, True]
    assert found is not None
    assert found.version == 3
