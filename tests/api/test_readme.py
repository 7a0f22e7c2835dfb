"""The pages hold: the commands of their tours run as shown, their tables are the code's, their links lead somewhere."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import pages
from tests.processes import ROOT, Spawn

PAGES = [path for path in (pages.README, *sorted((ROOT / "docs").rglob("*.md"))) if pages.tour(path)]
LINKING = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
_FAIL_ON_PROBLEMS = 'curl() { command curl --fail-with-body --silent --show-error "$@"; }\n'


def find_fault(step: pages.Step, url: str, folder: Path) -> str | None:
    """Run a step of a tour against the service at `url`; say what differs from the page, None if nothing does."""
    pattern = None if step.answer is None else json.loads(step.answer)
    is_problem = isinstance(pattern, dict) and pattern.get("status", 200) >= 400
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


@pytest.mark.parametrize(("page", "name", "make"), pages.MADE, ids=[name for _, name, _ in pages.MADE])
def test_a_table_says_what_the_code_says(page: Path, name: str, make: Callable[[], str]) -> None:
    assert pages.made_part(page, name) == make(), "run `make readme`"


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    assert [link for link in _LINK.findall(page.read_text()) if not (page.parent / link).exists()] == []
