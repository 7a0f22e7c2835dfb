"""The example package of the documentation: installed, found through its entry point, used by a running service."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.readers.running import compare
from tests.processes import ROOT, Spawn

PACKAGE = ROOT / "docs" / "examples" / "reader-sqlite"


@pytest.fixture(scope="module", name="packages")
def install_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package installed into it, as pip does it; the build needs no network."""
    target = tmp_path_factory.mktemp("packages")
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(PACKAGE)], check=True
    )
    return target


@pytest.fixture(name="inventory")
def fill_database(tmp_path: Path) -> Path:
    path = tmp_path / "inventory.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE documents (name TEXT PRIMARY KEY, body TEXT)")
        rows = [("yesterday", '{"stock": 3}'), ("today", '{"stock": 2}'), ("large", '"' + "x" * 5000 + '"')]
        connection.executemany("INSERT INTO documents VALUES (?, ?)", rows)
    return path


@pytest.fixture(name="url")
def run_service(packages: Path, inventory: Path, spawn_service: Spawn, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a service that was started with the package on its path."""
    monkeypatch.setenv("PYTHONPATH", str(packages))
    monkeypatch.setenv("SQLITE_READER_DATABASE", str(inventory))
    return spawn_service(max_input_bytes=4000).url


def test_documents_of_the_package_are_compared(url: str) -> None:
    status, patch = compare(url, {"type": "sqlite", "name": "yesterday"}, {"type": "sqlite", "name": "today"})

    assert (status, patch) == (200, [{"op": "replace", "path": "/stock", "value": 2}])


@pytest.mark.parametrize(
    ("source", "status", "code"),
    [
        ({"type": "sqlite", "name": "tomorrow"}, 422, "source-not-found"),
        ({"type": "sqlite", "name": "large"}, 413, "too-large"),
        ({"type": "sqlite", "name": "today", "table": "secrets"}, 400, "invalid-request"),
        ({"type": "sqlite"}, 400, "invalid-request"),
        ({"type": "oracle"}, 400, "invalid-request"),
    ],
)
def test_refusals_are_those_of_the_service(url: str, source: Any, status: int, code: str) -> None:
    answered, problem = compare(url, {"type": "inline", "value": 1}, source)

    assert (answered, problem["code"], problem["errors"][0]["input"]) == (status, code, "b")


def test_type_is_among_the_known_ones(url: str) -> None:
    _, problem = compare(url, {"type": "oracle"}, {"type": "inline", "value": 1})

    assert "sqlite" in problem["detail"]
