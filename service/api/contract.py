"""The contract, written out: `openapi.yaml` and its JSON twin."""

from functools import cached_property
from typing import Any

import msgspec
import yaml

from service.api import openapi, schemas, shapes
from service.api.routes import ROUTES


class RouteTableContract:
    """The contract that the route table makes; each form is written when it is first asked for."""

    @cached_property
    def json(self) -> bytes:
        """The document as JSON."""
        return msgspec.json.encode(openapi.build(ROUTES, schemas.shared(), shapes.named()))

    @cached_property
    def yaml(self) -> bytes:
        """The document as YAML that readers of YAML 1.1 and 1.2 take alike."""
        document: dict[str, Any] = msgspec.json.decode(self.json)
        text: str = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=110)
        return text.encode()
