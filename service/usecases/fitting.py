"""Whether a patch may go to a target, and the change of the target that it asks for."""

from typing import Annotated

import msgspec
from msgspec import Meta

from service.core.conditions import Conditions, Tags
from service.core.constraints import Verdict, judge
from service.core.values import Json
from service.errors import (
    ApplicationFailedError,
    DuplicateIdentifierError,
    IncompatibleTargetError,
    ResultTooLargeError,
    ServiceError,
    TestFailedError,
    TooDeepError,
    UnprocessableError,
    VersionConflictError,
    Violation,
)
from service.patches import Edit, Patch
from service.ports import Changing
from service.usecases import drafting
from service.usecases.asked import Asked, Limits

FAILURES: tuple[type[ServiceError], ...] = (
    UnprocessableError,
    TestFailedError,
    ResultTooLargeError,
    TooDeepError,
    DuplicateIdentifierError,
    ApplicationFailedError,
)
"""What makes an application `failed`: the patch was tried on a target that it fits, and could not be carried out."""

ANY_VERSION = Conditions(if_match=Tags(any=True))
"""A patch says by `if_version` which version it wants, also where the type asks for `If-Match`."""


class Aim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a request is about: a target, None for the usual one, and the version that it must have."""

    target_id: str | None = None
    if_version: Annotated[int, Meta(ge=1)] | None = None


def editing(asked: Asked, edit: Edit, limits: Limits) -> Changing:
    """Make the change that a provider asks for."""
    if edit.dialect == "merge-patch":
        return drafting.merging(asked, edit.body)
    return drafting.patching(asked, edit.body, limits, plain=False)


def check_version(version: int, aim: Aim) -> None:
    """Raise `VersionConflictError` unless the target has the version that the request wants, if any."""
    if aim.if_version is not None and aim.if_version != version:
        raise VersionConflictError(
            f"The target is at version {version}, not at {aim.if_version}: read it and decide anew.",
            current=version,
            field="if_version",
            expected=aim.if_version,
            actual=version,
        )


def check_fit(content: Json, patch: Patch) -> None:
    """Raise `IncompatibleTargetError` with every verdict unless all constraints of the patch hold."""
    verdicts = judge(content, patch.all_constraints)
    against = [each for each in verdicts if not each.satisfied]
    if against:
        more = f", and {len(against) - 1} more constraints do not hold" if len(against) > 1 else ""
        raise IncompatibleTargetError(
            f"The patch does not fit the target: '{against[0].field}': {against[0].reason}{more}.",
            violations=tuple(_violation(each) for each in against),
        ).with_extensions(verdicts=verdicts)


def _violation(verdict: Verdict) -> Violation:
    return Violation(
        code=IncompatibleTargetError.code,
        detail=verdict.reason,
        field=verdict.field,
        expected=verdict.value,
        actual=verdict.actual,
    )
