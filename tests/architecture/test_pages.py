"""The pages hold: their tables are what the code makes, their links lead somewhere."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import pages
from tests.processes import ROOT

LINKING = [pages.README, *sorted((ROOT / "docs").rglob("*.md"))]
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


@pytest.mark.parametrize(
    ("page", "name", "make"), pages.MADE, ids=[f"{page.name}-{name}" for page, name, _ in pages.MADE]
)
def test_a_table_says_what_the_code_says(page: Path, name: str, make: Callable[[], str]) -> None:
    assert pages.made_part(page, name) == make(), "run `make readme` (python -m tests.pages)"


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    assert [link for link in _LINK.findall(page.read_text()) if not (page.parent / link).exists()] == []
