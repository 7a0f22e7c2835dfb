"""docs/operations.md names every metric, and no other."""

import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from service.metrics import Metrics

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def test_every_metric_is_explained() -> None:
    registry: CollectorRegistry = Metrics()._registry
    names = {family.name + ("_total" if family.type == "counter" else "") for family in registry.collect()}

    explained = set(re.findall(r"^\| `(patchbay_\w+)` \|", PAGE, re.MULTILINE))

    assert explained == names
