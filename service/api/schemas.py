"""Schemas that `openapi.yaml` refers to by name and that no single Struct gives: I/O objects, `dxConfig`."""

from collections.abc import Mapping
from typing import Any

import msgspec

from service.api import dxconfig
from service.api.openapi import REF_TEMPLATE
from service.api.resource_examples import MERGE_PATCH_SCHEMA

_NUMBERED = {"type": "integer", "minimum": 1}


def _source(type_names: tuple[str, ...], required: tuple[str, ...], **members: Any) -> dict[str, Any]:
    kind = {"const": type_names[0]} if len(type_names) == 1 else {"enum": list(type_names)}
    return {
        "type": "object",
        "properties": {"type": {"type": "string", **kind}, **members},
        "required": ["type", *required],
        "additionalProperties": False,
    }


_FORMAT = {"$ref": REF_TEMPLATE.format(name="SourceFormat")}
_TEXT = {"type": "string"}

SOURCES = {
    "InlineSource": _source(("inline",), ("value",), value={"description": "any JSON value"}),
    "RawSource": _source(("raw",), ("value",), value={**_TEXT, "description": "the document as text"}, format=_FORMAT),
    "FileSource": _source(
        ("file",), (), path={**_TEXT, "description": "below the files root of the server"}, uri=_TEXT, format=_FORMAT
    ),
    "HttpSource": _source(
        ("http",), (), uri={**_TEXT, "format": "uri"}, url=_TEXT, authorizationHeader=_TEXT, format=_FORMAT
    ),
    "UrlSource": _source(
        ("url",), (), uri={**_TEXT, "format": "uri"}, url=_TEXT, authorizationHeader=_TEXT, format=_FORMAT
    ),
    "ResourceSource": _source(
        ("resource",),
        ("id",),
        id=_TEXT,
        resourceType=_TEXT,
        version=_NUMBERED,
        at={**_TEXT, "format": "date-time"},
    ),
    "UploadSource": _source(
        ("upload",), ("part",), part={**_TEXT, "description": "name of a form part"}, format=_FORMAT
    ),
}
_INPUT = {"$ref": REF_TEMPLATE.format(name="IoObject")}
FROM_DIFF = {
    "description": "replaced, when the patch is recorded, by the operations that turn `a` into `b`",
    "type": "object",
    "properties": {"a": _INPUT, "b": _INPUT},
    "required": ["a", "b"],
    "additionalProperties": False,
}
PAYLOAD = {
    "description": (
        "Any object. The built-in provider carries out one of `operations`, `merge` and `from_diff`; with none of them "
        "it changes nothing, or leaves the rest to another provider."
    ),
    "type": "object",
    "properties": {
        "operations": {"$ref": REF_TEMPLATE.format(name="JsonPatch")},
        "merge": {"$ref": REF_TEMPLATE.format(name="MergePatch")},
        "from_diff": {"$ref": REF_TEMPLATE.format(name="FromDiff")},
    },
    "additionalProperties": True,
}


def shared() -> dict[str, Any]:
    """Return the schemas by name."""
    _, components = msgspec.json.schema_components(
        [*dxconfig.KINDS.values(), dxconfig.FamilyArrayInstruction], ref_template=REF_TEMPLATE
    )
    types = {name: schema["properties"]["type"] for name, schema in SOURCES.items()}
    return {
        **SOURCES,
        **components,
        "IoObject": {
            "description": "where a document is; plug-in readers add further types",
            "oneOf": [{"$ref": REF_TEMPLATE.format(name=name)} for name in SOURCES],
            "discriminator": {
                "propertyName": "type",
                "mapping": {kind["const"]: REF_TEMPLATE.format(name=name) for name, kind in types.items()},
            },
        },
        "MergePatch": MERGE_PATCH_SCHEMA,
        "Payload": PAYLOAD,
        "FromDiff": FROM_DIFF,
        **_instructions("", dxconfig.KINDS),
        **_instructions("Family", dxconfig.FAMILY_KINDS),
    }


def _instructions(prefix: str, kinds: Mapping[str, type[dxconfig.Instruction]]) -> dict[str, Any]:
    """Describe `dxConfig` where these kinds of instructions are known."""
    one, bare, wrapped = f"{prefix}Instruction", f"{prefix}Instructions", f"Wrapped{prefix}Instructions"
    return {
        one: {"anyOf": [{"$ref": REF_TEMPLATE.format(name=kind.__name__)} for kind in kinds.values()]},
        bare: {"type": "array", "items": {"$ref": REF_TEMPLATE.format(name=one)}},
        wrapped: {
            "type": "object",
            "properties": {"dxConfig": {"$ref": REF_TEMPLATE.format(name=bare)}},
            "required": ["dxConfig"],
            "additionalProperties": False,
        },
        f"{prefix}DxConfig": {
            "description": "instructions, bare or wrapped in an object",
            "oneOf": [{"$ref": REF_TEMPLATE.format(name=bare)}, {"$ref": REF_TEMPLATE.format(name=wrapped)}],
        },
    }
