"""What a patch carries, as the built-in provider reads it: operations, a merge patch, nothing, or something opaque."""

from typing import Any, Literal, TypeAlias

from service.core import values
from service.core.patch import check_patch
from service.core.values import Json
from service.errors import InvalidPatchError

Payload: TypeAlias = dict[str, Any]
Kind: TypeAlias = Literal["operations", "merge", "from_diff", "empty", "opaque"]

UNDERSTOOD = ("operations", "merge", "from_diff")


def kind_of(payload: Payload) -> Kind:
    """Name the kind; what holds none of the members that are understood is opaque, or empty.

    >>> kind_of({"merge": {}}), kind_of({}), kind_of({"script": "migrate.sql"})
    ('merge', 'empty', 'opaque')
    """
    for name in UNDERSTOOD:
        if name in payload:
            return name  # type: ignore[return-value]
    return "opaque" if payload else "empty"


def check_payload(payload: Payload, *, max_operations: int | None = None) -> None:
    """Check the members that are understood, and that there is only one of them; others are let be.

    Raises `InvalidPatchError`, `TooLargeError`. What `from_diff` holds is for the readers to check.
    """
    present = [name for name in UNDERSTOOD if name in payload]
    if len(present) > 1:
        detail = f"The payload holds {' and '.join(repr(name) for name in present)}; it can be carried out in one way."
        raise InvalidPatchError(detail, field="definition/payload")
    if "operations" in payload:
        check_patch(payload["operations"], max_operations=max_operations)
    if "merge" in payload and not isinstance(payload["merge"], dict):
        raise InvalidPatchError(
            "The member 'merge' of the payload is an object (RFC 7396): what it is merged into is one.",
            field="definition/payload/merge",
        )


def canonical(value: Json) -> bytes:
    """Encode so that values which are equal as JSON give the same bytes: members sorted, `1.0` written `1`.

    >>> canonical({"b": 1.0, "a": [True]})
    b'{"a":[true],"b":1}'
    """
    return values.encode_sorted(_plain(value))


def _plain(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < values.EXACT_IN_DOUBLES:
        return int(value)
    return value
