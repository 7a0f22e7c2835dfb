"""What is imported is what gets installed: a fresh clone has the lock files and nothing else."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"service", "tests", "demo", "benchmarks", "native"}
GENERATED = {"patchbay_client"}  # a test makes it of the contract
OPTIONAL = {"opentelemetry"}  # the extra `telemetry`, imported where it is there


def imported(folder: str) -> Iterator[str]:
    """Yield the top-level names of foreign modules that a folder's code imports."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def locked(lock: str) -> set[str]:
    return {normal(name) for name in re.findall(r"^([\w.-]+)==", (ROOT / lock).read_text(), re.MULTILINE)}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(
    ("folder", "lock", "besides"),
    [
        ("service", "requirements.lock", OPTIONAL),
        ("demo", "requirements.lock", set[str]()),
        ("tests", "requirements-dev.lock", GENERATED),
    ],
)
def test_every_import_is_installed_by_the_lock_file(folder: str, lock: str, besides: set[str]) -> None:
    foreign = set(imported(folder)) - sys.stdlib_module_names - OURS - besides
    distributions = packages_distributions()

    missing = {name for name in foreign if locked(lock).isdisjoint(map(normal, distributions.get(name, [])))}

    assert missing == set()


def test_the_native_core_is_written_for_the_rust_that_debian_has() -> None:
    """`let … else` came with 1.65: with 1.63, which the container is built with, the core would silently be missing."""
    newer = re.compile(r"\blet [^;{}]*= [^;]*?[^\s;{}] else \{|\bif let [^{]* && let ")

    found = [str(path) for path in (ROOT / "native/src").rglob("*.rs") if newer.search(path.read_text())]

    assert found == []
