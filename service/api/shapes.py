"""Shapes that `openapi.yaml` names wherever they stand, so that generated clients have a type for each of them."""

from typing import Any, Literal

import msgspec

from service import patches
from service.api import comparing, contrasting, examples, flags, grafting, jobs, merging, resource_examples
from service.api.openapi import REF_TEMPLATE
from service.core import assignment, conflict, constraints, graft, lifecycle, options
from service.delivery import DeliveryState, Mode
from service.model import ChangeKind, Direction, Format, JobStatus
from service.rollouts import RolloutState

_LITERALS: dict[str, Any] = {
    "JsonPatchOp": Literal["add", "remove", "replace", "move", "copy", "test"],
    "PlainOp": Literal["add", "remove", "replace"],
    "FlagText": Literal["true", "false"],
    "Flag": flags.Flag,
    "AsyncWish": jobs.AsyncOptions | bool | Literal["true", "false"],
    "PatchDirection": Direction,
    "SourceFormat": Format,
    "ArrayAlignment": options.Alignment,
    "FamilyArrayAlignment": options.FamilyAlignment,
    "OnKeyError": Literal["refuse", "inOrder"],
    "IgnoredChanges": Literal["delete"],
    "CompareOutput": assignment.Output,
    "DeltaType": Literal["diff", "update"],
    "DataSets": Literal["A=B", "A!=B"],
    "MergePriority": merging.Priority,
    "ThreeWayMergeMode": assignment.ThreeWayMode,
    "ResolutionChoice": conflict.Choice,
    "ConflictKind": conflict.Kind,
    "GraftResolutionMode": graft.Mode,
    "JobStatus": JobStatus,
    "JobOutputType": Literal["http"],
    "ChangeKind": ChangeKind,
    "RequiredHeader": Literal["If-Match"],
    "ConstraintOperator": constraints.Operator,
    "PatchStatus": lifecycle.Status,
    "PatchState": lifecycle.State,
    "PatchVerb": patches.MoveVerb,
    "RolloutState": RolloutState,
    "DeliveryState": DeliveryState,
    "DeliveryMode": Mode,
    "DiffEngine": Literal["native", "python"],
}
_NAMES_IN_CODE = {
    "MergePriority": {"a": "A", "b": "B", "A": "CAPITAL_A", "B": "CAPITAL_B"},
    "DataSets": {"A=B": "EQUAL", "A!=B": "DIFFERENT"},
    "ConstraintOperator": {
        "==": "EQUAL",
        "!=": "NOT_EQUAL",
        "<": "LESS",
        "<=": "LESS_OR_EQUAL",
        ">": "GREATER",
        ">=": "GREATER_OR_EQUAL",
        "in": "IN",
    },
}
"""What generators are to call choices of which signs or capitals alone tell which is which (`x-enum-varnames`)."""
_FORMS: dict[str, tuple[type[msgspec.Struct], tuple[str, ...]]] = {
    "PatchForm": (comparing.PatchRequest, ("a", "b")),
    "CompareForm": (contrasting.CompareRequest, ("a", "b")),
    "TwoWayMergeForm": (merging.TwoWayMergeRequest, ("a", "b")),
    "ThreeWayMergeForm": (merging.ThreeWayMergeRequest, ("ancestor", "edit1", "edit2")),
    "GraftForm": (grafting.GraftRequest, ("changeset", "target")),
}


def named() -> dict[str, Any]:
    """Return the shapes by name, inner ones first."""
    return {
        **{name: _choice(name, _schema(kind)) for name, kind in _LITERALS.items()},
        **{name: examples.form_schema(struct, inputs) for name, (struct, inputs) in _FORMS.items()},
        **resource_examples.SHAPES,
    }


def _choice(name: str, schema: Any) -> Any:
    if "enum" not in schema:
        return schema
    names = _NAMES_IN_CODE.get(name)
    extra = {"x-enum-varnames": [names[each] for each in schema["enum"]]} if names else {}
    return {"type": "string", **schema, **extra}


def _schema(kind: Any) -> Any:
    (described,), _ = msgspec.json.schema_components([kind], ref_template=REF_TEMPLATE)
    return described
