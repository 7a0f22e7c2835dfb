"""The contract, written out: `openapi.yaml` and its JSON twin."""

import re
from functools import cached_property
from typing import Any

import msgspec
import yaml

from service.api import openapi, schemas, shapes
from service.api.naming import DATA
from service.api.routes import ROUTES


class RouteTableContract:
    """The contract that the route table makes; each form is written when it is first asked for."""

    @cached_property
    def json(self) -> bytes:
        """The document as JSON."""
        return msgspec.json.encode(_portable(openapi.build(ROUTES, schemas.shared(), shapes.named())))

    @cached_property
    def yaml(self) -> bytes:
        """The document as YAML that readers of YAML 1.1 and 1.2 take alike."""
        document: dict[str, Any] = msgspec.json.decode(self.json)
        text: str = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=110)
        return text.encode()


def _portable(node: Any) -> Any:
    """Say what not every generator understands by itself: that an object has any members, and where patterns end.

    Patterns end as in JSON Schema (ECMA-262); Python's `$` lets a line end follow.
    """
    if isinstance(node, list):
        return [_portable(each) for each in node]
    if not isinstance(node, dict):
        return node
    written = {name: each if name in DATA else _portable(each) for name, each in node.items()}
    if isinstance(pattern := written.get("pattern"), str):
        written["pattern"] = re.sub(r"\\Z$", "$", pattern)
    if written.get("type") == "object" and not {"properties", "additionalProperties"} & written.keys():
        written["additionalProperties"] = True
    return written
