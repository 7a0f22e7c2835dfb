"""Pieces of `openapi.yaml` about resources: the documented clinic, its three samples, parameters, headers, errors."""

from service.api.conditions import format_tag
from service.api.examples import LOCATION_HEADER
from service.api.route import Param

CLINIC_ID = "b1a6d4e2-7c9f-4d1f-8a53-1f0e6f6f4d11"
PHONE = {"id": "phone-d13f82fa-4b3a-4f41-9a40-2f4b8c7f0a55", "value": "3333333", "use": "main", "system": "phone"}
NEW_CLINIC = {
    "name": "Foot clinic",
    "identifier": [{"system": "npi", "value": "1234567890"}],
    "phone": [{"value": "3333333", "use": "main", "system": "phone"}],
    "openingHours": [{"day": "mon", "from": "08:00", "to": "17:00"}],
}
CLINIC = {
    "id": CLINIC_ID,
    **NEW_CLINIC,
    "phone": [PHONE],
    "createdAt": "2026-01-02T03:04:05.000000Z",
    "updatedAt": "2026-01-02T03:04:05.000000Z",
}
PLAIN_PATCHES = {
    "replace": [{"op": "replace", "path": "name", "value": "New Name of the resources"}],
    "add": [
        {
            "op": "add",
            "path": "phone/1",
            "value": {"value": "4444444", "use": "main", "system": "phone", "extension": None},
        }
    ],
    "remove": [{"op": "remove", "path": "name"}],
}
JSON_PATCHES = {
    "deep": [{"op": "test", "path": "/name", "value": "Foot clinic"}, {"op": "remove", "path": "/phone/0/use"}]
}
MERGE_PATCHES = {"merge": {"name": "Hand clinic", "openingHours": None}}

_TIME = {"type": "string", "format": "date-time", "readOnly": True}
SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "string", "readOnly": True}, "createdAt": _TIME, "updatedAt": _TIME},
    "required": ["id", "createdAt", "updatedAt"],
    "additionalProperties": True,
}
LISTED_SCHEMA = {
    "description": "a resource, or those of its members that `fields` names",
    "type": "object",
    "properties": SCHEMA["properties"],
    "required": ["id"],
    "additionalProperties": True,
}
CONTENT_SCHEMA = {"type": "object", "additionalProperties": True}
MERGE_PATCH_SCHEMA = {
    "description": "RFC 7396: null removes a member, an object goes deeper, all else replaces",
    "type": "object",
    "additionalProperties": True,
}
OPERATION_SCHEMA = {
    "type": "object",
    "properties": {
        "op": {"type": "string", "enum": ["add", "remove", "replace"]},
        "path": {"type": "string", "description": "a member, or `member/index`, `member/-`, `member/item id`"},
        "value": {},
    },
    "required": ["op", "path"],
}
PLAIN_SCHEMA = {"type": "array", "items": OPERATION_SCHEMA}
JSON_PATCH_SCHEMA = {"type": "array", "items": {"$ref": "#/components/schemas/JsonPatchOperation"}}
SHAPES = {
    "Resource": SCHEMA,
    "ListedResource": LISTED_SCHEMA,
    "ResourceContent": CONTENT_SCHEMA,
    "PlainOperation": OPERATION_SCHEMA,
    "PlainPatch": PLAIN_SCHEMA,
    "JsonPatch": JSON_PATCH_SCHEMA,
}
"""Shapes that the contract names."""

TYPE = Param(
    name="type",
    where="path",
    schema={"type": "string", "pattern": "^[a-z][a-z0-9-]*$", "maxLength": 63},
    description="any name; a definition is optional",
    example="clinic",
)
ID = Param(
    name="id",
    where="path",
    description="the id, or an identifier's `value` or `system|value`, percent-encoded",
    example=CLINIC_ID,
)
DRY_RUN = Param(name="dryRun", schema=bool, description="answer what would happen, and write nothing")
IF_MATCH = Param(name="If-Match", where="header", description="change only this version", example=format_tag(3))
IF_NONE_MATCH = Param(name="If-None-Match", where="header", description="answer 304 for this version")
CREATES = Param(name="If-None-Match", where="header", description="`*` creates the resource under the id of the URL")
PREFER = Param(name="Prefer", where="header", description="`return=minimal` answers 204 with the headers")
MERGE = Param(
    name="Prefer",
    where="header",
    description=(
        "`return=minimal` answers 204 with the headers; `merge` merges a change that `If-Match` says was made for an "
        "earlier version with what came since, or answers 412 with the `conflicts`"
    ),
)
MESSAGE = Param(name="Patchbay-Message", where="header", description="why; kept with the version")
WRITE_PARAMS = (DRY_RUN, PREFER, MESSAGE)
CHANGE_PARAMS = (DRY_RUN, MERGE, MESSAGE)

ETAG_HEADER = Param(name="ETag", description="the version, in quotes", example=format_tag(1))
LOCATION = LOCATION_HEADER
