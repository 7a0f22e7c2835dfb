"""Run inside a network namespace: starts the service, and sends it what Schemathesis makes of its contract.

`python -m tests.fuzzing.run FOLDER EXAMPLES` writes FOLDER/report.json. Requests that name a URL cannot reach anything:
the namespace has nothing but a loopback interface.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.integration.readers.hostile_run import raise_loopback
from tests.processes import ServiceProcess

CHECKS = (
    "no_fault_of_ours",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


def main() -> int:
    """Fuzz; return the exit code of Schemathesis."""
    folder, examples = Path(sys.argv[1]), sys.argv[2]
    raise_loopback()
    service = ServiceProcess(
        folder / "service",
        {
            "mongodb_uri": os.environ["PATCHBAY_TEST_MONGODB_URI"],
            "mongodb_database": os.environ["PATCHBAY_TEST_MONGODB_DATABASE"],
            "data_dir": folder / "data",
            "log_level": "error",
        },
    )
    try:
        service.wait_until_ready()
        command: list[str | Path] = [
            Path(sys.executable).with_name("schemathesis"),
            "run",
            f"{service.url}/openapi.json",
        ]
        command += ["--max-examples", examples, "--checks", ",".join(CHECKS), "--seed", "20260102", "--no-color"]
        command += ["--phases", "examples,coverage,fuzzing,stateful", "--generation-deterministic"]
        command += ["--report", "json", "--report-json-path", folder / "report.json", "--request-timeout", "30"]
        command += ["--suppress-health-check", "all", "--continue-on-failure"]
        with (folder / "output.txt").open("wb") as output:
            return subprocess.run(command, cwd=folder, stdout=output, stderr=output, check=False).returncode
    finally:
        service.end()
        (folder / "errors.txt").write_text(service.errors)


if __name__ == "__main__":
    sys.exit(main())
