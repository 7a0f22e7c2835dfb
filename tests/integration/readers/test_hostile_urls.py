"""The whole service against the table of hostile URLs, where a hole in the guard could reach nothing but a trap."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from service.store.mongod import MongodProcess
from tests.processes import ROOT

URLS = json.loads((ROOT / "tests" / "cases" / "hostile-urls.json").read_text())["urls"]
UNSHARE = ["unshare", "--net", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]


def can_unshare() -> bool:
    try:
        return subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def names_of_the_table() -> str:
    """The table's look-ups as a hosts file, which takes the place of DNS."""
    lines = ["127.0.0.1 localhost", "::1 localhost"]
    for case in URLS:
        host = case["url"].partition("://")[2].partition("/")[0]
        lines += [f"{address} {host.encode('idna').decode()}" for address in case.get("addresses", [])]
    return "\n".join(lines).replace("%eth0", "") + "\n"  # a hosts file knows no zones


@pytest.fixture(scope="module", name="result")
def run_in_a_namespace(mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if not can_unshare():
        pytest.skip(
            "NOT PROVEN HERE: this system lets nobody make a network namespace (unshare --net), and without one the "
            "table of hostile URLs is not sent to a whole service, lest a hole in the guard reach something. Run the "
            "tests as root in a container."
        )
    folder = tmp_path_factory.mktemp("namespace")
    hosts = folder / "hosts"
    hosts.write_text(names_of_the_table())
    script = (
        f"mount --bind {hosts} /etc/hosts && exec {sys.executable} -m tests.integration.readers.hostile_run {folder}"
    )
    environ = {**os.environ, "PATCHBAY_TEST_MONGODB_URI": mongod.uri}
    subprocess.run([*UNSHARE, "sh", "-c", script], check=True, cwd=ROOT, env=environ, timeout=110)
    return json.loads((folder / "result.json").read_text())


def test_trap_catches_who_comes(result: Any) -> None:
    assert result["sprung_on_purpose"] == ["::ffff:127.0.0.1", "::1"]


def test_what_the_operator_opened_is_read(result: Any) -> None:
    assert result["opened"] == "let through"


def test_public_address_passes_the_guard_and_is_not_there(result: Any) -> None:
    assert result["unreachable"] == "source-unreachable"


def test_no_hostile_url_is_let_through(result: Any) -> None:
    passed = {name: code for name, code in result["plain"].items() if code != "source-forbidden"}

    assert passed == {}
    assert len(result["plain"]) == len(URLS)


def test_no_redirect_to_a_hostile_url_is_followed(result: Any) -> None:
    passed = {name: code for name, code in result["redirected"].items() if code != "source-forbidden"}

    assert passed == {}
    assert len(result["redirected"]) > 150


def test_nobody_came_to_the_trap(result: Any) -> None:
    assert result["sprung"] == []
