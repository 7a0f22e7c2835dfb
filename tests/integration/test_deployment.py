import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pymongo
import pytest
from pymongo import ReadPreference

from service.errors import StartError, StoreUnavailableError
from service.store.deployment import MongoProbe, check_deployment
from service.store.mongo import Client, connect
from service.store.mongod import find_binary
from tests.processes import Spawn


async def test_replica_set_is_accepted_and_names_its_version(mongo: Client) -> None:
    version = await check_deployment(mongo)

    assert version.startswith(("6.", "7.", "8."))
    assert await MongoProbe(mongo).ping() == version


async def test_deployment_that_does_not_answer_is_refused_without_its_address(tmp_path: Path) -> None:
    client = connect(f"mongodb://user:secret@{str(tmp_path / 'no.sock').replace('/', '%2F')}/")

    with pytest.raises(StartError, match="No MongoDB primary answers at PATCHBAY_MONGODB_URI") as caught:
        await check_deployment(client)

    assert "secret" not in str(caught.value)
    client.close()


async def test_probe_of_an_absent_server_says_unavailable(tmp_path: Path) -> None:
    client = connect(f"mongodb://{str(tmp_path / 'no.sock').replace('/', '%2F')}/")

    with pytest.raises(StoreUnavailableError):
        await MongoProbe(client).ping()

    client.close()


def test_text_that_is_no_uri_is_refused() -> None:
    with pytest.raises(StartError, match="PATCHBAY_MONGODB_URI"):
        connect("postgres://localhost")


async def test_the_primary_is_read_whatever_the_uri_says() -> None:
    client = connect("mongodb://127.0.0.1:1/?readPreference=secondaryPreferred&readConcernLevel=local&w=1")

    assert client.read_preference == ReadPreference.PRIMARY
    assert (client.read_concern.level, client.write_concern.document["w"]) == ("majority", "majority")
    client.close()


@pytest.fixture(name="lone_socket")
def start_lone_server(tmp_path: Path) -> Iterator[Path]:
    """A server that is no replica set."""
    command = [str(find_binary()), "--bind_ip", "./alone.sock", "--nounixsocket", "--dbpath", str(tmp_path)]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) as process:
        while not is_listening(tmp_path / "alone.sock"):
            time.sleep(0.05)
        yield tmp_path / "alone.sock"
        process.kill()


async def test_server_standing_alone_is_refused(lone_socket: Path) -> None:
    client = connect(f"mongodb://{str(lone_socket).replace('/', '%2F')}/")

    with pytest.raises(StartError, match="stands alone; a replica set is needed"):
        await check_deployment(client)

    client.close()


def is_listening(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


@pytest.fixture(name="guarded_uri")
def start_guarded_server(tmp_path: Path) -> Iterator[str]:
    """A replica set that asks for credentials; the account given may read and no more."""
    (tmp_path / "key").write_text("k" * 40)
    (tmp_path / "key").chmod(0o600)
    command = [str(find_binary()), "--bind_ip", "./guarded.sock", "--nounixsocket", "--dbpath", str(tmp_path)]
    command += ["--replSet", "guarded", "--keyFile", "key", "--wiredTigerCacheSizeGB", "0.25"]
    where = str(tmp_path / "guarded.sock").replace("/", "%2F")
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) as process:
        while not is_listening(tmp_path / "guarded.sock"):
            time.sleep(0.05)
        with pymongo.MongoClient[dict[str, object]](f"mongodb://{where}/?directConnection=true") as client:
            members = [{"_id": 0, "host": "./guarded.sock"}]
            client.admin.command("replSetInitiate", {"_id": "guarded", "members": members})
            while not client.admin.command("hello")["isWritablePrimary"]:
                time.sleep(0.05)
            client.admin.command("createUser", "boss", pwd="hush", roles=["root"])
        with pymongo.MongoClient[dict[str, object]](f"mongodb://boss:hush@{where}/?directConnection=true") as client:
            client.admin.command("createUser", "guest", pwd="hush", roles=[{"role": "read", "db": "patchbay"}])
        yield f"mongodb://guest:hush@{where}/?directConnection=true&authSource=admin"
        process.kill()


@pytest.mark.parametrize("arguments", [(), ("keys", "create", "--name", "ann", "--role", "reader")])
def test_account_without_rights_is_told_what_it_lacks(
    guarded_uri: str, spawn_service: Spawn, arguments: tuple[str, ...]
) -> None:
    """Not with the driver's traceback, which quotes the command."""
    service = spawn_service(mongodb_uri=guarded_uri, mongodb_database="patchbay", listens=False, arguments=arguments)

    assert service.wait() == 1
    (line,) = service.errors.splitlines()
    assert line.startswith("patchbay: The account in PATCHBAY_MONGODB_URI lacks a right")
    assert "readWrite" in line
