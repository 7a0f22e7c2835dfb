"""Names for shapes: where the contract holds a shape that has a name, it refers to it, so that clients name it too."""

from collections.abc import Mapping
from typing import Any

import msgspec

Document = dict[str, Any]

_NOTES = ("description", "default", "examples")
"""What may stand beside a reference: it says something about the place, not about the shape."""
DATA = ("example", "examples", "default")
"""Members that hold values; values have no shapes."""


class Names:
    """Shapes by name, the inner ones before those that hold them. `template` makes a reference of a name."""

    def __init__(self, shapes: Mapping[str, Document], template: str) -> None:
        self._references: dict[bytes, str] = {}
        self.components: dict[str, Document] = {}
        for name, shape in shapes.items():
            inside = self.refer_inside(shape)
            self.components[name] = inside
            self._references[_key(inside)] = template.format(name=name)

    def refer(self, node: Any) -> Any:
        """Return the node with a reference in the place of every shape that has a name.

        >>> names = Names({"Side": {"enum": ["a", "b"]}}, "#/{name}")
        >>> names.refer({"type": "array", "items": {"enum": ["a", "b"], "default": "a"}})
        {'type': 'array', 'items': {'$ref': '#/Side', 'default': 'a'}}
        """
        if isinstance(node, list):
            return [self.refer(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return {name: each for name, each in node.items() if name in ("$ref", *_NOTES)}
        inside = self.refer_inside(node)
        reference = self._references.get(_key(inside))
        if reference is None:
            return inside
        return {"$ref": reference} | {name: inside[name] for name in _NOTES if name in inside}

    def refer_inside(self, node: Document) -> Document:
        """Do the same for what the node holds, but not for itself."""
        return {name: each if name in DATA else self.refer(each) for name, each in node.items()}


def _key(shape: Document) -> bytes:
    """Write a shape so that equal ones are written alike: without notes and extensions, choices in order."""
    known = {name: each for name, each in shape.items() if name not in _NOTES and not name.startswith("x-")}
    if isinstance(known.get("enum"), list) and known.get("type", "string") == "string":
        known = {"enum": sorted(known["enum"], key=str)}
    return msgspec.json.encode(known, order="deterministic")
