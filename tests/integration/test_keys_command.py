"""`patchbay keys`, as an operator uses it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from service.settings import Settings

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(name="patchbay")
def provide_patchbay(settings: Settings) -> Run:
    environment = {
        **os.environ,
        "PATCHBAY_MONGODB_URI": settings.mongodb_uri or "",
        "PATCHBAY_MONGODB_DATABASE": settings.mongodb_database,
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "service", "keys", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_key_is_made_listed_and_revoked(patchbay: Run) -> None:
    made = patchbay("create", "--name", "ann", "--role", "writer", "--type", "clinic", "--expires", "90d")
    key = made.stdout.split()[0]
    key_id = key.split("_")[1]

    assert re.fullmatch(r"pb_[0-9a-f]{16}_[0-9a-f]{64}", key)
    listed = patchbay("list").stdout
    assert key_id in listed
    assert key.split("_")[2] not in listed
    assert patchbay("revoke", key_id).returncode == 0
    assert re.search(rf"{key_id} .* revoked", patchbay("list").stdout)
    assert patchbay("revoke", key_id).returncode == 1


def test_expiry_that_is_none_is_refused(patchbay: Run) -> None:
    refused = patchbay("create", "--name", "ann", "--role", "reader", "--expires", "soon")

    assert refused.returncode == 1
    assert "--expires" in refused.stderr


def test_type_that_none_can_have_is_refused(patchbay: Run) -> None:
    refused = patchbay("create", "--name", "ann", "--role", "reader", "--type", "Bad Type")

    assert refused.returncode == 1
    assert "--type is 'Bad Type'" in refused.stderr


@pytest.mark.parametrize("name", ["", "a\nb", "\x1b[31m", "\udcff", "x" * 257])
def test_name_that_cannot_be_shown_is_refused(patchbay: Run, name: str) -> None:
    refused = patchbay("create", "--name", name, "--role", "reader")

    assert refused.returncode == 1
    assert "1 to 256 printable characters" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("expires", ["-1d", "0d", "2020-01-01T00:00:00Z"])
def test_expiry_that_is_past_is_refused(patchbay: Run, expires: str) -> None:
    refused = patchbay("create", "--name", "ann", "--role", "reader", f"--expires={expires}")

    assert refused.returncode == 1
    assert "which is past" in refused.stderr


def test_what_is_to_be_tried_begins_as_the_key_does(patchbay: Run) -> None:
    made = patchbay("create", "--name", "ann", "--role", "reader").stdout

    assert f"Bearer {made.split()[0].rpartition('_')[0]}_" in made
