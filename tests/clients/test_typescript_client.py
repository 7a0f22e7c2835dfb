"""The TypeScript client that openapi-typescript and openapi-fetch make of the contract does the main jobs, typed."""

from pathlib import Path

import pytest

from tests.clients.conftest import TYPESCRIPT, run
from tests.processes import ROOT, Spawn

JOBS = (Path(__file__).parent / "jobs.txt").read_text().split()
_MINUTES_FOR_NPM = 600


@pytest.mark.timeout(_MINUTES_FOR_NPM)
def test_the_client_does_the_main_jobs(npm_tools: Path, spawn_service: Spawn) -> None:
    (TYPESCRIPT / "build").mkdir(exist_ok=True)
    run("node", "generate.mjs", ROOT / "openapi.yaml", "build/contract.ts", folder=TYPESCRIPT)
    run(npm_tools / "tsc", "--project", ".", folder=TYPESCRIPT)
    service = spawn_service(mongodb_database="typescript-client")

    done = run("node", "build/tour.js", service.url, folder=TYPESCRIPT)

    assert done.split() == JOBS


@pytest.mark.timeout(_MINUTES_FOR_NPM)
def test_the_contract_is_clean_to_a_linter(npm_tools: Path) -> None:
    run(
        npm_tools / "spectral", "lint", "--ruleset", "spectral.yaml", "--fail-severity", "hint", ROOT / "openapi.yaml",
        folder=TYPESCRIPT,
    )  # fmt: skip
