"""The tools from npm that TypeScript clients and the linter need, as the lock file names them."""

import subprocess
from pathlib import Path

import pytest

TYPESCRIPT = Path(__file__).parent / "typescript"


def run(*command: object, folder: Path, patience_s: float = 300) -> str:
    """Run a command; return what it says, and fail with that where it fails."""
    ran = subprocess.run(
        [str(word) for word in command], cwd=folder, capture_output=True, text=True, timeout=patience_s, check=False
    )
    assert ran.returncode == 0, f"{command} gives {ran.returncode}: {ran.stdout}{ran.stderr}"
    return ran.stdout


@pytest.fixture(scope="session", name="npm_tools")
def install_npm_tools() -> Path:
    """Install the tools where the lock file is newer than what is there; return the folder of their commands."""
    lock, stamp = TYPESCRIPT / "package-lock.json", TYPESCRIPT / "node_modules" / ".patchbay-lock"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        run("npm", "ci", folder=TYPESCRIPT)
        stamp.write_bytes(lock.read_bytes())
    return TYPESCRIPT / "node_modules" / ".bin"
