"""The embedded MongoDB through everything that may happen to it: each test runs real servers."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pymongo
import pytest

from service.errors import StartError
from service.store.embedded import EmbeddedMongo
from service.store.mongo import connect, translated
from service.store.mongod import MongodProcess, find_binary
from tests.processes import is_alive

ROOT = Path(__file__).parents[2]
HOST_SCRIPT = """
import asyncio, signal, sys
from pathlib import Path
from service.store.embedded import EmbeddedMongo
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background ignores it from the start
async def run():
    async with EmbeddedMongo(Path(sys.argv[1])) as server:
        print(server.pid, server.uri, flush=True)
        await asyncio.Event().wait()
asyncio.run(run())
"""


class Host:
    """A process that runs the embedded server, as the service does."""

    def __init__(self, data_dir: Path) -> None:
        command = [sys.executable, "-c", HOST_SCRIPT, str(data_dir)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        pid, self.uri = self.process.stdout.readline().split()
        self.server_pid = int(pid)

    def end_by(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.communicate(timeout=60)


@pytest.fixture(name="start_host")
def make_start_host(tmp_path: Path) -> Iterator[Callable[[], Host]]:
    hosts: list[Host] = []

    def start_host() -> Host:
        hosts.append(Host(tmp_path))
        return hosts[-1]

    yield start_host
    for host in hosts:
        host.process.kill()
        host.process.communicate()


def wait_until(condition: Callable[[], bool], timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def insert_into(uri: str, identity: int) -> None:
    with pymongo.MongoClient[dict[str, int]](uri) as client:
        client.probe.items.insert_one({"_id": identity})


def identities_in(uri: str) -> set[int]:
    with pymongo.MongoClient[dict[str, int]](uri) as client:
        return {item["_id"] for item in client.probe.items.find()}


def listening_ports(pid: int) -> list[str]:
    sockets = {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()}
    rows = [row.split() for kind in ("tcp", "tcp6") for row in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]]
    return [row[1] for row in rows if f"socket:[{row[9]}]" in sockets]


def test_server_listens_on_a_private_socket_and_on_no_port(mongod: MongodProcess) -> None:
    socket = Path(mongod.uri.removeprefix("mongodb://").split("/?")[0].replace("%2F", "/"))

    assert listening_ports(mongod.pid) == []
    assert socket.stat().st_mode & 0o777 == 0o600
    assert socket.parent.stat().st_mode & 0o777 == 0o700


def test_server_has_transactions(mongod: MongodProcess, database_name: str) -> None:
    with pymongo.MongoClient[dict[str, int]](mongod.uri) as client, client.start_session() as session:
        with session.start_transaction():
            client[database_name].moved.insert_one({"_id": 1}, session=session)
            client[database_name].twin.insert_one({"_id": 1}, session=session)

        assert client[database_name].twin.count_documents({}) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_server_ends_with_its_host_and_the_next_start_has_the_data(
    start_host: Callable[[], Host], number: signal.Signals
) -> None:
    first = start_host()
    insert_into(first.uri, 1)

    first.end_by(number)
    second = start_host()

    assert not is_alive(first.server_pid)
    assert identities_in(second.uri) == {1}


def test_second_host_on_the_directory_is_refused_and_the_first_goes_on(
    start_host: Callable[[], Host], tmp_path: Path
) -> None:
    first = start_host()

    with pytest.raises(StartError, match=f"in use by another Patchbay \\(process {first.process.pid}\\)"):
        MongodProcess(tmp_path).start()

    insert_into(first.uri, 2)
    assert identities_in(first.uri) == {2}


async def test_killed_server_comes_back_by_itself_with_its_data(tmp_path: Path) -> None:
    async with EmbeddedMongo(tmp_path) as server:
        client = connect(server.uri)
        with translated():
            await client.probe.items.insert_one({"_id": 1})
        killed = server.pid

        os.kill(killed, signal.SIGKILL)
        await until_answered(client.probe.items.insert_one, {"_id": 2})

        assert server.pid != killed
        assert await client.probe.items.count_documents({}) == 2
        client.close()


async def test_server_that_does_not_start_again_is_tried_until_it_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    binary = tmp_path / "mongod"
    binary.symlink_to(find_binary())
    async with EmbeddedMongo(tmp_path, binary) as server:
        client = connect(server.uri)
        binary.unlink()
        os.kill(server.pid, signal.SIGKILL)
        while "did not start" not in caplog.text:
            await asyncio.sleep(0.05)

        binary.symlink_to(find_binary())

        await until_answered(client.probe.items.insert_one, {"_id": 3})
        client.close()


async def until_answered(call: Callable[[dict[str, int]], object], document: dict[str, int]) -> None:
    """Insert, again where the server is away; a duplicate means that an earlier attempt arrived."""
    while True:
        try:
            await call(document)  # type: ignore[misc]
        except pymongo.errors.DuplicateKeyError:
            return
        except pymongo.errors.ConnectionFailure:
            await asyncio.sleep(0.05)
        else:
            return


@pytest.mark.parametrize("name", ["n" * 120, "Upper:case @ 100%"], ids=["long", "not plain"])
def test_data_directory_whose_path_does_not_do_for_a_socket_gets_a_short_private_one(tmp_path: Path, name: str) -> None:
    with MongodProcess(tmp_path / name) as server:
        socket = Path(server.uri.removeprefix("mongodb://").split("/?")[0].replace("%2F", "/"))
        insert_into(server.uri, 1)

        assert socket.parent.stat().st_mode & 0o777 == 0o700

    assert not socket.parent.exists()


def test_directory_for_the_socket_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    with MongodProcess(tmp_path / "Elsewhere") as server:
        home = Path(server.uri.removeprefix("mongodb://").split("/?")[0].replace("%2F", "/")).parent
    home.mkdir(mode=0o755)

    with pytest.raises(StartError, match="is not private"):
        MongodProcess(tmp_path / "Elsewhere").start()

    home.rmdir()


def test_moved_data_directory_starts(tmp_path: Path) -> None:
    with MongodProcess(tmp_path / "before") as server:
        insert_into(server.uri, 1)
    (tmp_path / "before").rename(tmp_path / "after")

    with MongodProcess(tmp_path / "after") as server:
        assert identities_in(server.uri) == {1}


def test_data_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StartError, match="cannot be used: Not a directory"):
        MongodProcess(tmp_path / "file").start()


def test_missing_package_names_the_command_that_installs_it() -> None:
    script = "import sys; sys.modules['fiftyone'] = None\nfrom service.store.mongod import find_binary; find_binary()"

    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)

    assert "StartError: The package with the MongoDB server is missing: run `make install`" in ended.stderr


def test_missing_library_names_the_command_that_installs_it(tmp_path: Path) -> None:
    binary = tmp_path / "mongod"
    binary.write_bytes(find_binary().read_bytes().replace(b"libcurl.so.4\0", b"libcurl.so.0\0"))
    binary.chmod(0o700)

    with pytest.raises(StartError, match=r"lacks the library libcurl\.so\.0: run `apt-get install libcurl4`"):
        MongodProcess(tmp_path, binary).__enter__()

    shutil.rmtree(tmp_path)


def test_server_that_refuses_its_files_says_where_its_log_is(tmp_path: Path) -> None:
    with MongodProcess(tmp_path):
        pass
    (tmp_path / "mongodb" / "db" / "WiredTiger.turtle").write_text("spoiled")

    with pytest.raises(StartError, match=r"ended with code -?\d+: see mongod\.log and mongod\.out in "):
        MongodProcess(tmp_path).__enter__()
