"""The Python client that openapi-python-client makes of the contract does the main jobs, and its code is typed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT, Spawn

FOLDER = Path(__file__).parent / "python"
JOBS = (FOLDER.parent / "jobs.txt").read_text().split()


@pytest.fixture(scope="module", name="generated")
def generate_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate the client; what the generator warns of fails. Returns the folder to import it from."""
    folder = tmp_path_factory.mktemp("python-client")
    made = subprocess.run(
        [
            Path(sys.executable).with_name("openapi-python-client"),
            "generate",
            "--path", ROOT / "openapi.yaml",
            "--output-path", folder / "patchbay_client",
            "--config", FOLDER / "generator.yaml",
            "--meta", "none",
            "--fail-on-warning",
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    assert "WARNING" not in made.stdout + made.stderr
    return folder


def test_the_client_does_the_main_jobs(generated: Path, spawn_service: Spawn) -> None:
    service = spawn_service(mongodb_database="python-client")

    ran = subprocess.run(
        [sys.executable, FOLDER / "tour.py", service.url],
        env={**os.environ, "PYTHONPATH": str(generated)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == JOBS


def test_the_example_of_the_documentation_runs(generated: Path, spawn_service: Spawn) -> None:
    service = spawn_service(mongodb_database="python-client")
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "clients.md").read_text(), re.DOTALL)
    code = example.replace("http://127.0.0.1:8080", service.url) + "\nassert isinstance(answer, Problem), answer\n"

    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(generated)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("not-found ")


def test_the_types_of_the_client_fit_its_use(generated: Path, tmp_path: Path) -> None:
    """Strictly typed code that uses the client holds: what it takes and answers has types that say so."""
    settings = tmp_path / "mypy.ini"
    settings.write_text(
        f"[mypy]\nstrict = true\nmypy_path = {generated}\n[mypy-patchbay_client.*]\nfollow_imports = silent\n"
    )

    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", settings, "--cache-dir", tmp_path, FOLDER / "tour.py"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout
