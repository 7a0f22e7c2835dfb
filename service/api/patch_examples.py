"""Pieces of `openapi.yaml` about patch records: samples, parameters, what every route may refuse."""

from typing import Any

from service import errors
from service.api import wire
from service.api.conditions import format_tag
from service.api.idempotency import KEY_ERRORS
from service.api.route import Param

RESOURCE = "b1a6d4e2-7c9f-4d1f-8a53-1f0e6f6f4d11"
APPLICATION = "5b6a5a3e-8c1f-5e0d-9a57-2f4b8c7f0a55"
_AT = "2026-01-02T03:04:05.000000Z"
DEFINITION = {
    "patch_id": "longer-hours",
    "description": "Open until eight",
    "constraints": [{"field": "software.version", "operator": ">=", "value": "9.6"}],
    "payload": {"operations": [{"op": "replace", "path": "/openingHours/0/to", "value": "20:00"}]},
    "metadata": {"ticket": "C-17"},
}
REQUESTS = {
    "operations": {"definition": DEFINITION, "constraints": [{"field": "name", "operator": "!=", "value": "Closed"}]},
    "merge": {"definition": {"patch_id": "rename", "payload": {"merge": {"name": "Hand clinic"}}}},
    "from_diff": {
        "definition": {
            "patch_id": "as-in-the-template",
            "payload": {
                "from_diff": {
                    "a": {"type": "inline", "value": {"open": True}},
                    "b": {"type": "inline", "value": {"open": False}},
                }
            },
        }
    },
    "opaque": {"definition": {"patch_id": "p-1"}},
}
RECORD: dict[str, Any] = {
    "patch_id": "longer-hours",
    "resource_id": RESOURCE,
    "definition": DEFINITION,
    "created_by": "ann",
    "constraints": [],
    "status": "pending",
    "created_at": _AT,
    "error": None,
}
APPLIED: dict[str, Any] = {
    "id": APPLICATION,
    "resource_id": RESOURCE,
    "patch_id": "longer-hours",
    "target_id": RESOURCE,
    "target_type": "clinic",
    "attempt": 1,
    "status": "applied",
    "base_version": 3,
    "result_version": 4,
    "provider": "builtin",
    "error": None,
    "errors": [],
    "created_by": "ann",
    "started_at": _AT,
    "finished_at": _AT,
    "reverted_by": None,
    "moves": 1,
}
AIMS = {"own": {}, "another": {"target_id": RESOURCE, "if_version": 3}}

RESOURCE_ID = Param(name="resource_id", where="path", description="the resource's id", example=RESOURCE)
PATCH_ID = Param(name="patch_id", where="path", description="percent-encoded", example="longer-hours")
ETAG = Param(name="ETag", where="header", description="the target's version", example=format_tag(4))

READ_ERRORS: tuple[type[errors.ServiceError], ...] = (
    errors.InvalidRequestError,
    errors.NotFoundError,
    errors.StoreUnavailableError,
)
BODY_ERRORS: tuple[type[errors.ServiceError], ...] = (
    *READ_ERRORS,
    *wire.BODY_ERRORS,
    errors.GoneError,
)
RECORD_ERRORS: tuple[type[errors.ServiceError], ...] = (
    *BODY_ERRORS,
    errors.InvalidPatchError,
    errors.PatchExistsError,
    errors.NotStorableError,
    errors.TooComplexError,
    errors.OverloadedError,
    errors.SourceForbiddenError,
    errors.SourceNotFoundError,
    errors.SourceUnreachableError,
    errors.SourceTimeoutError,
    *KEY_ERRORS,
)
MOVE_ERRORS: tuple[type[errors.ServiceError], ...] = (
    *BODY_ERRORS,
    errors.InvalidTransitionError,
    errors.VersionConflictError,
    errors.OverloadedError,
    *KEY_ERRORS,
)
APPLY_ERRORS: tuple[type[errors.ServiceError], ...] = (
    *MOVE_ERRORS,
    errors.IncompatibleTargetError,
    errors.ApplicationFailedError,
)
