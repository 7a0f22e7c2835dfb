"""Pieces of `openapi.yaml` that several routes share: the documented samples, common headers, schemas of forms."""

from typing import Any

import msgspec

from service.api.route import Param

A = {
    "a": "your data",
    "b": "bbc 1",
    "name": "John Joe Smith",
    "age": 21,
    "owner": True,
    "hobbies": ["playing guitar badly", "reading", "Cinema"],
}
B = {
    "a": "my data",
    "b": "bbc 2",
    "name": "Mr John Smith",
    "hobbies": ["Badminton", "guitar", "reading"],
    "age": 22,
    "pet": "dog",
}
PATCH = [
    {"op": "replace", "path": "/a", "value": "my data"},
    {"op": "replace", "path": "/b", "value": "bbc 2"},
    {"op": "replace", "path": "/name", "value": "Mr John Smith"},
    {"op": "remove", "path": "/owner"},
    {"op": "remove", "path": "/hobbies/2"},
    {"op": "add", "path": "/hobbies/1", "value": "guitar"},
    {"op": "replace", "path": "/hobbies/0", "value": "Badminton"},
    {"op": "replace", "path": "/age", "value": 22},
    {"op": "add", "path": "/pet", "value": "dog"},
]
PATCH_REQUESTS = {
    "inline": {"a": {"type": "inline", "value": A}, "b": {"type": "inline", "value": B}},
    "files": {
        "a": {"type": "file", "path": "inputA.json"},
        "b": {"type": "file", "path": "inputB.json"},
        "patchDirection": "aToB",
        "dxConfig": [{"ignoreChanges": "delete", "key": "created"}],
    },
}
MERGE = {
    "owner": None,
    "a": "my data",
    "b": "bbc 2",
    "name": "Mr John Smith",
    "hobbies": ["Badminton", "guitar", "reading"],
    "age": 22,
    "pet": "dog",
}
MERGE_SCHEMA = {"description": "members of the target: null removes, an object goes deeper, all else replaces"}
CHANGES = [
    {"path": "/a", "op": "replace", "before": "your data", "after": "my data"},
    {"path": "/b", "op": "replace", "before": "bbc 1", "after": "bbc 2"},
    {"path": "/name", "op": "replace", "before": "John Joe Smith", "after": "Mr John Smith"},
    {"path": "/owner", "op": "remove", "before": True},
    {"path": "/hobbies/2", "op": "remove", "before": "Cinema"},
    {"path": "/hobbies/1", "op": "add", "after": "guitar"},
    {"path": "/hobbies/0", "op": "replace", "before": "playing guitar badly", "after": "Badminton"},
    {"path": "/age", "op": "replace", "before": 21, "after": 22},
    {"path": "/pet", "op": "add", "after": "dog"},
]
PATCHES = {"sample": PATCH, "equal": []}

DIFF_HEADER = Param(
    name="Patchbay-Diff",
    where="header",
    schema={"type": "string", "enum": ["exact", "bounded"]},
    description="whether a bound made the patch coarser than it could be",
)
LOCATION_HEADER = Param(name="Location", where="header", description="where what was made can be read")

_FORM_INPUT = {
    "description": "an upload, the document's text, a URL, a path, or an I/O object",
    "type": "string",
    "format": "binary",
}
FORM_ENCODING = dict.fromkeys(
    ("a", "b"), "application/json, text/plain, application/octet-stream, application/vnd.patchbay.source+json"
)


def form_schema(struct: type[msgspec.Struct], inputs: tuple[str, ...]) -> dict[str, Any]:
    """Describe the form twin of a JSON request: inputs are uploads or texts, the other parts are text."""
    members: dict[str, Any] = {
        field.encode_name: _FORM_INPUT if field.encode_name in inputs else {"type": "string"}
        for field in msgspec.structs.fields(struct)
    }
    return {"type": "object", "properties": members, "required": list(inputs), "additionalProperties": False}
