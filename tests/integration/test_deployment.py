import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.errors import StartError, StoreUnavailableError
from service.store.deployment import MongoProbe, check_deployment
from service.store.mongo import Client, connect
from service.store.mongod import find_binary


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
