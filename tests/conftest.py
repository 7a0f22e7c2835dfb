"""The MongoDB of the test run: the service's own server, started once, with a database for each file of tests."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest
from hypothesis import settings as hypothesis_settings

from service.settings import Settings
from service.store.mongod import MongodProcess
from tests.processes import ServiceProcess, Spawn

hypothesis_settings.register_profile("patchbay", deadline=None)  # tests do not depend on speed
hypothesis_settings.load_profile("patchbay")

_VERSION = pytest.StashKey[str]()


@pytest.fixture(scope="session", name="mongod")
def start_mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongodProcess]:
    """A running server; `mongod.uri` is what a driver needs."""
    with MongodProcess(tmp_path_factory.mktemp("mongod")) as server:
        yield server


@pytest.fixture(scope="module", name="database_name")
def name_database(mongod: MongodProcess, pytestconfig: pytest.Config) -> Iterator[str]:
    """A database for the tests of one file, dropped behind them: none meets the types and the work of another."""
    name = f"patchbay-test-{uuid.uuid4().hex[:12]}"
    with pymongo.MongoClient[dict[str, object]](mongod.uri) as client:
        pytestconfig.stash[_VERSION] = client.server_info()["version"]
        yield name
        client.drop_database(name)


@pytest.fixture(name="settings")
def make_settings(mongod: MongodProcess, database_name: str, tmp_path: Path) -> Settings:
    """Settings of a service that stands on the run's server."""
    return Settings(port=0, data_dir=tmp_path / "data", mongodb_uri=mongod.uri, mongodb_database=database_name)


@pytest.fixture(name="spawn_service")
def make_spawner(settings: Settings, tmp_path: Path) -> Iterator[Spawn]:
    """Start `python -m service` on a free port and the run's MongoDB: `spawn_service(max_depth=5).url`.

    `mongodb_uri=""` gives it its own embedded server, `arguments=("keys", "list")` a command, `listens=False` returns
    at once. Every process is ended with the test.
    """
    made: list[ServiceProcess] = []

    def spawn(*, arguments: tuple[str, ...] = (), listens: bool = True, **changes: object) -> ServiceProcess:
        given = {
            "data_dir": settings.data_dir,
            "mongodb_uri": settings.mongodb_uri,
            "mongodb_database": settings.mongodb_database,
            **changes,
        }
        made.append(ServiceProcess(tmp_path / f"service-{len(made)}", given, arguments))
        if listens:
            made[-1].wait_until_ready()
        return made[-1]

    yield spawn
    for process in made:
        process.end()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In one of several processes: tell the one that reports which server the tests ran against."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["mongodb"] = session.config.stash.get(_VERSION, "")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear from a process that has ended."""
    if version := getattr(node, "workeroutput", {}).get("mongodb"):
        node.config.stash[_VERSION] = version


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which server the tests ran against."""
    if version := config.stash.get(_VERSION, ""):
        terminalreporter.write_line(f"ran against MongoDB {version}")
