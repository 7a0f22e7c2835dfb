"""`patchbay openapi`: write the contract as YAML."""

import sys

from service.api.contract import RouteTableContract


def write_contract() -> int:
    """Write `openapi.yaml` to standard output; return the exit code."""
    sys.stdout.buffer.write(RouteTableContract().yaml)
    return 0
