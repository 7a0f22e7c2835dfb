"""A running `python -m service`, as tests and scripts start it: over HTTP from outside, nothing of it imported."""

import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


@contextmanager
def running_service(environ: Mapping[str, str]) -> Iterator[str]:
    """Start the service with the variables, and give the host and port that it listens on."""
    with subprocess.Popen(
        [sys.executable, "-m", "service"],
        cwd=ROOT,
        env={**os.environ, "PATCHBAY_PORT": "0", "PATCHBAY_LOG_LEVEL": "error", **environ},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://(\S+)", process.stdout.readline())
            assert found, "the service did not start"
            yield found[1]
        finally:
            process.terminate()


def compare(address: str, a: Any, b: Any) -> tuple[int, Any]:
    """Ask for the patch between two I/O objects; give the status and the answer's JSON."""
    connection = http.client.HTTPConnection(address, timeout=60)
    try:
        body = json.dumps({"a": a, "b": b}).encode()
        connection.request("POST", "/api/json/v1/patch", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.load(response)
    finally:
        connection.close()
