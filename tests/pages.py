"""What the pages hold that is made from the code, and the commands in them that are run.

`python -m tests.pages` (`make readme`) writes the made parts anew.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

from service import errors
from service.api import problems
from service.api.documentation import error_classes
from service.settings import describe
from tests.processes import ROOT

README = ROOT / "README.md"
ERRORS = ROOT / "docs" / "errors.md"
SETTINGS = ROOT / "docs" / "settings.md"
_FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


class Step(NamedTuple):
    """A block that says `sh tour`, and the JSON that its last command must answer, where the next block holds it."""

    commands: str
    answer: str | None


def tour(page: Path) -> list[Step]:
    """List the steps of a page's tour, in order."""
    blocks = _FENCE.findall(page.read_text())
    following = [*blocks[1:], ("", "", "")][: len(blocks)]
    return [
        Step(text, after[2] if after[0] == "json" else None)
        for (language, marks, text), after in zip(blocks, following, strict=True)
        if language == "sh" and "tour" in marks.split()
    ]


def fits(answer: Any, pattern: Any) -> bool:
    """Say whether an answer is what a page shows: `"…"` stands for anything, as a name for any further members."""
    if pattern == "…":
        return True
    if isinstance(pattern, dict) and isinstance(answer, dict):
        shown = {name: value for name, value in pattern.items() if name != "…"}
        complete = "…" in pattern or shown.keys() == answer.keys()
        return complete and all(name in answer and fits(answer[name], value) for name, value in shown.items())
    if isinstance(pattern, list) and isinstance(answer, list):
        return len(pattern) == len(answer) and all(map(fits, answer, pattern))
    return bool(answer == pattern)


def settings_table() -> str:
    """Lay out every setting as a row."""
    rows = [f"| `{variable}` | {meaning} | `{default}` |" for variable, default, meaning in describe()]
    return "\n".join(["| Variable | Meaning | Default |", "|---|---|---|", *rows])


def errors_table() -> str:
    """Lay out every code of a problem as a row, by status."""
    classes = [
        each
        for each in error_classes()
        if each.__module__ == errors.__name__ and "code" in vars(each) and each is not errors.ServiceError
    ]
    kinds = sorted({(problems.status_of(each), each.code, _meaning(each)) for each in classes})
    rows = [f"| {status} | `{code}` | {sentence} |" for status, code, sentence in kinds]
    return "\n".join(["| Status | `code` | Meaning |", "|---|---|---|", *rows])


MADE = ((README, "settings", settings_table), (SETTINGS, "settings", settings_table), (ERRORS, "codes", errors_table))
"""Page, name of its part, and what makes it."""


def made_part(page: Path, name: str) -> str:
    """Return the part of the page as it stands."""
    return _split(page, name)[1].strip()


def _split(page: Path, name: str) -> tuple[str, str, str]:
    """Split a page into what comes before the part, the part, and what comes behind it."""
    before, begin, rest = re.split(rf"(<!-- {name}: [^\n]*-->\n)", page.read_text())
    part, end, behind = re.split(rf"(<!-- end of {name} -->)", rest)
    return before + begin, part, end + behind


def _meaning(error: type[Exception]) -> str:
    text = " ".join((error.__doc__ or "").split())
    return text.replace("|", "\\|")


def main() -> None:
    """Write the made parts of all pages."""
    for page, name, make in MADE:
        before, _, behind = _split(page, name)
        page.write_text(f"{before}{make()}\n{behind}")


if __name__ == "__main__":
    main()
