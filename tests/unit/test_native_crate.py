"""The native core's own tests, its format and its lints, where the tools are installed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CRATE = Path(__file__).parents[2] / "native"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["cargo", *arguments]
    return subprocess.run(command, cwd=CRATE, capture_output=True, text=True, timeout=580, check=False)


def has(subcommand: str) -> bool:
    return shutil.which("cargo") is not None and run(subcommand, "--help").returncode == 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("test", "--offline", "--quiet"), id="test"),  # unoptimised: arithmetic that overflows panics
        pytest.param(("clippy", "--offline", "--quiet", "--all-targets", "--", "-D", "warnings"), id="clippy"),
        pytest.param(("fmt", "--check"), id="fmt"),
    ],
)
def test_cargo_is_content(arguments: tuple[str, ...]) -> None:
    if not has(arguments[0]):
        pytest.skip(f"cargo {arguments[0]} is not installed here")

    result = run(*arguments)

    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]


def test_build_says_so_where_cargo_is_missing(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(CRATE / "build.py")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert result.returncode == 0
    assert "cargo was not found" in result.stdout
    assert "make native" in result.stdout
