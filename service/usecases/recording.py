"""Recording a patch: once for each id, the same content again being the same patch."""

import hashlib
import uuid
from typing import Any

import msgspec

from service.core import values
from service.core.constraints import Constraint, check_constraints
from service.core.options import DiffOptions
from service.core.owned import OWNED
from service.core.payload import canonical, check_payload, kind_of
from service.core.timestamp import format_timestamp
from service.errors import InvalidRequestError, PatchExistsError
from service.model import Caller, Reading
from service.patches import Definition, Move, Patch, Standing
from service.usecases.comparing import Inputs, compare, read_inputs
from service.usecases.patching import Desk, Recorded, describe, find_resource

_NAMESPACE = uuid.UUID("3f0c6c6e-5d0b-5a57-9a0e-6f2b8f1f7c11")
_LONGEST_WHY = 1000
_OWNED = tuple((name,) for name in OWNED)
"""Paths that a patch which is computed from stored resources leaves alone."""


async def record(
    resource_id: str,
    definition: Definition,
    constraints: tuple[Constraint, ...],
    reading: Reading,
    desk: Desk,
    *,
    dry_run: bool,
) -> Recorded:
    """Keep a patch; the same content again gives the one there is.

    Raises `PatchExistsError` for other content, what the checks of constraints and payload raise, and for `from_diff`
    what readers and comparer raise.
    """
    if definition.patch_id.endswith("\n"):  # its pattern lets one pass, and so what was kept can be read
        raise InvalidRequestError("'definition.patch_id' ends in a line end.", field="definition")
    check_constraints(definition.constraints, "definition/constraints")
    check_constraints(constraints)
    check_payload(definition.payload, max_operations=desk.limits.max_operations)
    resource = await find_resource(resource_id, reading.caller, desk)
    fingerprint = _fingerprint(definition, constraints)
    if (known := await _find_same(resource_id, definition.patch_id, fingerprint, reading.caller, desk)) is not None:
        return known
    patch = Patch(
        resource_id=resource_id,
        definition=await _resolve(definition, reading, desk),
        constraints=constraints,
        fingerprint=fingerprint,
        created_by=reading.caller.name,
        created_at=format_timestamp(desk.clock.now()),
    )
    try:
        await desk.patches.insert(patch, recorded(patch, resource.type), dry_run=dry_run)
    except PatchExistsError:
        if (known := await _find_same(resource_id, definition.patch_id, fingerprint, reading.caller, desk)) is None:
            raise
        return known
    return Recorded(patch, Standing(), is_new=True)


def recorded(patch: Patch, resource_type: str) -> Move:
    """Make the first event of a patch."""
    return Move(
        id=f"{make_id(patch.resource_id, patch.patch_id)}:000000",
        resource_id=patch.resource_id,
        resource_type=resource_type,
        patch_id=patch.patch_id,
        verb="record",
        source=None,
        to="pending",
        at=patch.created_at,
        by=patch.created_by,
        why=patch.definition.description[:_LONGEST_WHY] or None,
    )


def make_id(*parts: str) -> str:
    """Make the id that belongs to the parts: the same ones give the same id."""
    return str(uuid.uuid5(_NAMESPACE, values.encode(parts).decode()))


def _fingerprint(definition: Definition, constraints: tuple[Constraint, ...]) -> str:
    sent = msgspec.json.decode(msgspec.json.encode((definition, constraints)))
    return hashlib.sha256(canonical(sent)).hexdigest()


async def _find_same(resource_id: str, patch_id: str, fingerprint: str, caller: Caller, desk: Desk) -> Recorded | None:
    """Return the patch if it is there with the same content; raise `PatchExistsError` for other content."""
    patch = await desk.patches.find(resource_id, patch_id)
    if patch is None:
        return None
    # What was sent, and what is shown in its place where a difference was asked for, are the same content.
    if fingerprint not in (patch.fingerprint, _fingerprint(patch.definition, patch.constraints)):
        raise PatchExistsError(
            f"The patch '{patch_id}' of this resource is recorded with other content; choose another patch_id."
        )
    return await describe(patch, caller, desk)


async def _resolve(definition: Definition, reading: Reading, desk: Desk) -> Definition:
    """Replace `from_diff` by the operations that turn its `a` into its `b`."""
    if kind_of(definition.payload) != "from_diff":
        return definition
    inputs = definition.payload["from_diff"]
    if not isinstance(inputs, dict) or inputs.keys() != {"a", "b"}:
        raise InvalidRequestError(
            "The member 'from_diff' of the payload is an object of two I/O objects, 'a' and 'b'.",
            field="definition/payload/from_diff",
        )
    sources = {name: desk.readers.parse(values.encode(inputs[name]), name) for name in ("a", "b")}
    texts = Inputs(**await read_inputs(sources, desk.readers, reading))
    options = DiffOptions(ignored_paths=_OWNED, max_depth=desk.limits.max_depth)
    outcome = await compare(texts, "aToB", options, desk.comparer)
    payload: dict[str, Any] = {name: value for name, value in definition.payload.items() if name != "from_diff"}
    payload["operations"] = msgspec.json.decode(outcome.patch)
    return msgspec.structs.replace(definition, payload=payload)
