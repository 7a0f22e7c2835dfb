"""The contract against the running service: whatever Schemathesis makes of it, with links followed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.store.mongod import MongodProcess
from tests.integration.readers.test_hostile_urls import UNSHARE, can_unshare
from tests.processes import ROOT


def fuzz(folder: Path, mongod: MongodProcess, database: str, examples: int, timeout_s: float) -> Any:
    if not can_unshare():
        pytest.skip("NOT PROVEN HERE: fuzzing needs a network namespace (unshare --net), as it makes URLs of its own.")
    environ = {
        **os.environ,
        "PATCHBAY_TEST_MONGODB_URI": mongod.uri,
        "PATCHBAY_TEST_MONGODB_DATABASE": database,
        "SCHEMATHESIS_HOOKS": "tests.fuzzing.checks",
        "PYTHONPATH": str(ROOT),
    }
    command = [*UNSHARE, sys.executable, "-m", "tests.fuzzing.run", str(folder), str(examples)]
    done = subprocess.run(command, cwd=ROOT, env=environ, timeout=timeout_s, check=False)
    assert done.returncode == 0, (folder / "output.txt").read_text()[-8000:]
    assert '"traceback"' not in (folder / "errors.txt").read_text()
    return json.loads((folder / "report.json").read_text())


def check(report: Any, least: int) -> None:
    assert report["complete"]
    assert report["failures"] == report["errors"] == []
    assert report["test_cases"]["generated"] >= least
    assert {name: phase["status"] for name, phase in report["phases"].items()} == dict.fromkeys(
        ("examples", "coverage", "fuzzing", "stateful"), "success"
    )


@pytest.mark.timeout(400)
def test_five_thousand_requests_keep_the_contract(tmp_path: Path, mongod: MongodProcess, database_name: str) -> None:
    check(fuzz(tmp_path, mongod, f"{database_name[:28]}-fuzz", 5, 380), least=5_000)


@pytest.mark.long
@pytest.mark.timeout(4000)
def test_many_more_requests_keep_the_contract(tmp_path: Path, mongod: MongodProcess, database_name: str) -> None:
    check(fuzz(tmp_path, mongod, f"{database_name[:28]}-fuzz", 200, 3900), least=20_000)
