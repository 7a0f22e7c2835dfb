"""A backup is the database at one moment, and comes back as it was, or not at all."""

import asyncio
import gzip
import os
import tracemalloc
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import msgspec
import pymongo
import pytest

from service.commands import backup as commands
from service.errors import StartError
from service.settings import Settings
from service.store import backup, restoring
from service.store.mongo import Client, Database, connect
from service.store.mongod import MongodProcess
from tests.processes import Spawn

NOW = "2026-01-02T03:04:05.000000Z"


def ignore_progress(done: int, total: int) -> None:
    del done, total


async def content_of(database: Database) -> dict[str, Any]:
    names = set(await database.list_collection_names()) - restoring.LEFT_OUT
    return {name: await database[name].find().sort("_id", 1).to_list(None) for name in names}


@pytest.fixture(name="own_client")
def make_client(mongod: MongodProcess) -> Any:
    client = connect(mongod.uri)
    yield client
    client.close()


@pytest.fixture(name="filled")
async def fill(own_client: Client, database_name: str) -> Any:
    database = own_client[f"{database_name[:20]}-from"]
    await database["things"].insert_many([{"_id": number, "text": "x" * number} for number in range(500)])
    await database["others"].insert_one({"_id": "only", "nested": {"list": [1, None, 2.5]}})
    await database["leases"].insert_one({"_id": "relay"})
    yield database
    await own_client.drop_database(database.name)


async def test_backup_comes_back_as_it_was(own_client: Client, filled: Database, tmp_path: Path) -> None:
    file, target = tmp_path / "copy", own_client[filled.name.replace("-from", "-to")]

    assert await backup.back_up(own_client, filled.name, file, NOW, ignore_progress) == 501
    assert await restoring.restore(own_client, target.name, file, ignore_progress) == 501

    restored = await content_of(target)
    await own_client.drop_database(target.name)
    del restored["counters"]  # of the feed: the test of followers looks at it
    assert restored == await content_of(filled)


async def test_backup_under_writes_is_of_one_moment(own_client: Client, filled: Database, tmp_path: Path) -> None:
    """Two documents are always written together; a copy never has one without the other."""
    stop = asyncio.Event()

    async def write() -> int:
        number = 1000
        while not stop.is_set():
            async with await own_client.start_session() as session, session.start_transaction():
                await filled["things"].insert_one({"_id": number}, session=session)
                await filled["others"].insert_one({"_id": number}, session=session)
            number += 1
        return number - 1000

    writing = asyncio.create_task(write())
    async with asyncio.timeout(30):
        while await filled["others"].find_one({"_id": 1000}) is None:
            await asyncio.sleep(0.01)
    target = own_client[filled.name.replace("-from", "-to")]
    for attempt in range(5):
        await backup.back_up(own_client, filled.name, tmp_path / str(attempt), NOW, ignore_progress)
    stop.set()
    written = await writing
    await restoring.restore(own_client, target.name, tmp_path / "4", ignore_progress)

    things = await target["things"].count_documents({"_id": {"$gte": 1000}})
    others = await target["others"].count_documents({"_id": {"$gte": 1000}})
    await own_client.drop_database(target.name)
    assert 0 < things == others <= written


async def test_backup_leaves_the_server_as_it_was(own_client: Client, filled: Database, tmp_path: Path) -> None:
    """A history of all that is written over, kept for a day, is dear."""
    kept_s = "minSnapshotHistoryWindowInSeconds"
    usual = await own_client.admin.command({"getParameter": 1, kept_s: 1})

    await backup.back_up(own_client, filled.name, tmp_path / "copy", NOW, ignore_progress)

    left = await own_client.admin.command({"getParameter": 1, kept_s: 1})
    assert left[kept_s] == usual[kept_s] < 300


async def test_backup_that_loses_its_moment_says_so(
    own_client: Client, filled: Database, mongod: MongodProcess, tmp_path: Path
) -> None:
    """The history is let go of amid the copy, as at the end of another backup."""

    def write_over(done: int, _: int) -> None:
        if done == 1:
            with pymongo.MongoClient[dict[str, Any]](mongod.uri, w="majority") as other:
                other.admin.command({"setParameter": 1, "minSnapshotHistoryWindowInSeconds": 0})
                for number in range(100):
                    other[filled.name]["things"].update_many({}, {"$set": {"number": number}})

    with pytest.raises(StartError, match="Run the backup again"):
        await backup.back_up(own_client, filled.name, tmp_path / "copy", NOW, write_over)

    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("spoil", [lambda b: b[: len(b) // 2], lambda b: b[:-9], lambda _: b"", lambda _: b"text"])
async def test_harmed_backup_is_refused_before_anything_is_written(
    own_client: Client, filled: Database, tmp_path: Path, spoil: Any
) -> None:
    file = tmp_path / "copy"
    await backup.back_up(own_client, filled.name, file, NOW, ignore_progress)
    file.write_bytes(spoil(file.read_bytes()))

    with pytest.raises(StartError):
        await restoring.restore(own_client, "patchbay-test-never", file, ignore_progress)

    assert await own_client["patchbay-test-never"].list_collection_names() == []


async def test_flipped_bit_is_noticed(own_client: Client, filled: Database, tmp_path: Path) -> None:
    file = tmp_path / "copy"
    await backup.back_up(own_client, filled.name, file, NOW, ignore_progress)
    plain = bytearray(gzip.decompress(file.read_bytes()))
    plain[plain.index(b"xxxxxxxx")] ^= 1
    file.write_bytes(gzip.compress(bytes(plain)))

    with pytest.raises(StartError, match="damaged"):
        restoring.verify(file)


async def test_database_that_is_not_empty_is_left_alone(own_client: Client, filled: Database, tmp_path: Path) -> None:
    file = tmp_path / "copy"
    await backup.back_up(own_client, filled.name, file, NOW, ignore_progress)

    with pytest.raises(StartError, match="not empty"):
        await restoring.restore(own_client, filled.name, file, ignore_progress)


@pytest.mark.parametrize("level", [0, 5], ids=["stored", "compressed"])
async def test_a_flipped_bit_anywhere_is_told_as_damage(
    own_client: Client, filled: Database, tmp_path: Path, level: int
) -> None:
    """Not as what it made of the document, which would be shown with the traceback."""
    file = tmp_path / "copy"
    await backup.back_up(own_client, filled.name, file, NOW, ignore_progress)
    plain = gzip.decompress(file.read_bytes())
    random = Random(0)
    places = [*range(150), *range(len(plain) - 250, len(plain)), *(random.randrange(len(plain)) for _ in range(300))]

    for place in places:
        file.write_bytes(gzip.compress(_flipped(plain, place, random.randrange(8)), level))
        with pytest.raises(StartError, match=r"damaged|not a backup"):
            restoring.verify(file)


def _flipped(content: bytes, place: int, bit: int) -> bytes:
    flipped = bytearray(content)
    flipped[place] ^= 1 << bit
    return bytes(flipped)


@pytest.mark.parametrize("size", [b"\0\0\0\0", b"\xff\xff\xff\xff"], ids=["none", "4 GiB"])
async def test_a_size_that_no_document_has_is_not_read(
    own_client: Client, filled: Database, tmp_path: Path, size: bytes
) -> None:
    file = tmp_path / "copy"
    await backup.back_up(own_client, filled.name, file, NOW, ignore_progress)
    plain = gzip.decompress(file.read_bytes())
    header = plain[: int.from_bytes(plain[:4], "little")]
    file.write_bytes(gzip.compress(header + size + b"\0" * 50_000_000, 1))
    tracemalloc.start()

    with pytest.raises(StartError, match="damaged"):
        restoring.verify(file)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


async def test_only_the_owner_may_read_a_backup(own_client: Client, filled: Database, tmp_path: Path) -> None:
    file = tmp_path / "copy"

    await backup.back_up(own_client, filled.name, file, NOW, ignore_progress)

    assert file.stat().st_mode & 0o777 == 0o600


async def test_two_backups_to_one_file_do_not_harm_each_other(
    own_client: Client, filled: Database, tmp_path: Path
) -> None:
    file = tmp_path / "copy"
    (tmp_path / "copy.part").write_bytes(b"of another")

    with pytest.raises(StartError, match=r"copy\.part is there"):
        await backup.back_up(own_client, filled.name, file, NOW, ignore_progress)

    assert (tmp_path / "copy.part").read_bytes() == b"of another"


async def test_what_is_no_file_is_not_replaced_by_a_backup(
    own_client: Client, filled: Database, tmp_path: Path
) -> None:
    """Under root that could be `/dev/null`."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    for target in (pipe, tmp_path, Path()):
        with pytest.raises(StartError, match="Give the name of one"):
            await backup.back_up(own_client, filled.name, target, NOW, ignore_progress)

    assert pipe.is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]  # noqa: PTH208 - a path is not asked in here


async def test_what_can_be_read_only_once_is_not_restored(own_client: Client, filled: Database, tmp_path: Path) -> None:
    """It is verified first: from a pipe nothing was left to restore then, and a part of nothing stayed."""
    file, name = tmp_path / "copy", filled.name.replace("-from", "-to")
    await backup.back_up(own_client, filled.name, file, NOW, ignore_progress)
    reading, writing = os.pipe()
    os.write(writing, file.read_bytes())
    os.close(writing)

    with pytest.raises(StartError, match="no file"):
        await restoring.restore(own_client, name, Path(f"/dev/fd/{reading}"), ignore_progress)

    os.close(reading)
    assert name not in await own_client.list_database_names()


async def test_a_place_that_takes_no_file_is_told(own_client: Client, filled: Database, tmp_path: Path) -> None:
    for target in (tmp_path / ("x" * 300), tmp_path / "none" / "copy"):
        with pytest.raises(StartError, match=r"cannot be written to .*: "):
            await backup.back_up(own_client, filled.name, target, NOW, ignore_progress)


async def test_nobody_takes_a_part_of_a_backup_for_the_whole(
    own_client: Client, filled: Database, tmp_path: Path, spawn_service: Spawn
) -> None:
    """A restore that broke off leaves a database that no service starts on, and no backup is taken of."""
    file, name = tmp_path / "copy", filled.name.replace("-from", "-part")
    await backup.back_up(own_client, filled.name, file, NOW, ignore_progress)

    def break_off(done: int, total: int) -> None:
        raise EOFError(done, total)

    with pytest.raises(EOFError):
        await restoring.restore(own_client, name, file, break_off)

    started = [spawn_service(mongodb_database=name, listens=False, arguments=each) for each in ((), ("check",))]
    codes = [await asyncio.to_thread(each.process.wait, 60) for each in started]
    with pytest.raises(StartError, match="broke off"):
        await backup.back_up(own_client, name, tmp_path / "other", NOW, ignore_progress)
    await own_client.drop_database(name)
    assert codes == [1, 1]
    assert ["broke off" in each.errors for each in started] == [True, True]


@pytest.mark.parametrize("command", ["back_up", "restore"])
def test_a_database_that_goes_away_amid_a_command_is_told(
    command: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MongodProcess(tmp_path) as server:
        mine = msgspec.structs.replace(settings, mongodb_uri=server.uri)
        with pymongo.MongoClient[dict[str, Any]](server.uri) as client:
            client[mine.mongodb_database]["things"].insert_many([{"_id": number} for number in range(500)])
        commands.back_up(mine, tmp_path / "copy")
        other = msgspec.structs.replace(mine, mongodb_database="other") if command == "restore" else mine
        monkeypatch.setattr(commands, "make_bar", lambda _: lambda *_: server.stop())

        with pytest.raises(StartError, match="broke off"):
            getattr(commands, command)(other, tmp_path / "copy")


async def test_followers_hear_that_a_restore_undid_what_they_saw(
    own_client: Client, database_name: str, tmp_path: Path, spawn_service: Spawn
) -> None:
    """Positions would be given anew: who comes with an old one would wait for events in silence, and miss some."""
    name, file = f"{database_name[:20]}-fed", tmp_path / "copy"
    service = spawn_service(mongodb_database=name)
    async with aiohttp.ClientSession(service.url) as caller:
        await caller.post("/v1/clinic", json={"name": "kept"})
        kept = (await follow(caller, 0))[-1]["position"]
        await backup.back_up(own_client, name, file, NOW, ignore_progress)
        for _ in range(3):
            await caller.post("/v1/clinic", json={"name": "undone"})
        undone = (await follow(caller, kept))[-1]["position"]
    service.stop()
    await own_client.drop_database(name)
    await restoring.restore(own_client, name, file, ignore_progress)
    service = spawn_service(mongodb_database=name)
    async with aiohttp.ClientSession(service.url) as caller:
        refused = await caller.get(f"/events?after={undone}")
        problem = await refused.json()
        await caller.post("/v1/clinic", json={"name": "new"})
        (new,) = await follow(caller, kept)
        after_all = await (await caller.get(f"/events?after={new['position']}")).json()
    service.stop()
    await own_client.drop_database(name)

    assert (refused.status, problem["code"]) == (410, "events-gone")
    assert "a backup of before them was restored" in problem["detail"]
    assert new["position"] > undone
    assert after_all == []


async def follow(caller: aiohttp.ClientSession, position: int) -> Any:
    """Wait for events after a position."""
    return await (await caller.get(f"/events?after={position}&wait=30")).json()
