"""What is asked of every answer beside what its contract says: a failure is somebody else's, and says whose."""

from typing import Any

import schemathesis

REMOTE = {"source-unreachable", "source-timeout"}


@schemathesis.check
def no_fault_of_ours(ctx: Any, response: Any, case: Any) -> None:
    """Statuses of 500 and above only speak of a remote source that a request named."""
    del ctx, case
    if response.status_code >= 500:
        assert response.json()["code"] in REMOTE, response.text
