"""The commands of the tours that README and documentation offer run as shown."""

import json
import subprocess
from pathlib import Path

import pytest

from tests import pages
from tests.processes import ROOT, Spawn

PAGES = [path for path in (pages.README, *sorted((ROOT / "docs").rglob("*.md"))) if pages.tour(path)]
_FAIL_ON_PROBLEMS = 'curl() { command curl --fail-with-body --silent --show-error "$@"; }\n'


def find_fault(step: pages.Step, url: str, folder: Path) -> str | None:
    """Run a step of a tour against the service at `url`; say what differs from the page, None if nothing does."""
    pattern = None if step.answer is None else json.loads(step.answer)
    is_problem = isinstance(pattern, dict) and pattern.get("status") in range(400, 600)
    script = ("" if is_problem else _FAIL_ON_PROBLEMS) + step.commands.replace("http://127.0.0.1:8080", url)
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    if ran.returncode == 0 and (pattern is None or pages.fits(json.loads(ran.stdout), pattern)):
        return None
    return f"{step.commands}gives {ran.stdout}{ran.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_tour_runs_as_shown(spawn_service: Spawn, tmp_path: Path, page: Path) -> None:
    service = spawn_service(mongodb_database=f"tour-{page.stem}")

    faults = [find_fault(step, service.url, tmp_path) for step in pages.tour(page)]

    assert [fault for fault in faults if fault] == []


def test_the_readme_has_a_tour() -> None:
    assert len(pages.tour(pages.README)) > 5
