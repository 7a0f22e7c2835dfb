"""What a patch would do to a target: the verdicts, the document that would result, the difference. Writes nothing."""

import msgspec

from service.core import values
from service.core.constraints import judge
from service.core.options import DiffOptions
from service.delivery import BUILTIN
from service.errors import ApplicationFailedError, ServiceError
from service.model import Caller, Change, Draft
from service.patches import Patch, Preview
from service.ports import Changing
from service.usecases.asked import Asked
from service.usecases.drafting import draft_of
from service.usecases.fitting import ANY_VERSION, FAILURES, Aim, check_version, editing
from service.usecases.patching import Desk, find_resource
from service.usecases.presenting import Shown
from service.usecases.writing import Mode, Target, write


async def preview(patch: Patch, aim: Aim, caller: Caller, mode: Mode, desk: Desk) -> Preview:
    """Judge the constraints on the target, and carry the patch out on a copy of it."""
    target = await find_resource(aim.target_id or patch.resource_id, caller, desk)
    seen: list[Draft] = []

    def making(asked: Asked) -> Changing:
        def change(draft: Draft | None) -> Change | None:
            if draft is not None:
                check_version(draft.version, aim)
                seen[:] = [msgspec.structs.replace(draft, content=values.copy(draft.content))]
            return editing(asked, desk.builtin.plan(patch), desk.limits)(draft)

        return change

    known = await desk.shelf.catalog.find(target.type)
    dry = msgspec.structs.replace(mode, conditions=ANY_VERSION, dry_run=True)
    shown: Shown | None = None
    failure: ServiceError | None = None
    try:
        _check_provider(known.definition.provider)
        shown = await write(Target(target.type, target.id, caller.types), known, making, dry, desk.shelf)
    except FAILURES as error:
        failure = error
    draft = seen[0] if seen else draft_of(target)
    return await _preview(patch, draft, shown, failure, desk)


async def _preview(
    patch: Patch, draft: Draft, shown: Shown | None, failure: ServiceError | None, desk: Desk
) -> Preview:
    verdicts = tuple(judge(draft.content, patch.all_constraints))
    diff: bytes | None = None
    if shown is not None:
        options = DiffOptions(max_depth=desk.limits.max_depth)
        diff = (await desk.comparer.compare(values.encode(draft.content), shown.resource.text, options)).patch
    return Preview(
        target_id=draft.id,
        version=draft.version,
        compatible=all(each.satisfied for each in verdicts),
        verdicts=verdicts,
        document=None if shown is None else msgspec.Raw(shown.text),
        diff=None if diff is None else msgspec.Raw(diff),
        error=None if failure is None else failure.detail,
        errors=() if failure is None else failure.violations,
    )


def _check_provider(name: str) -> None:
    if name != BUILTIN:
        raise ApplicationFailedError(
            f"The provider '{name}' carries this patch out; what it will make of the target is not known here."
        )
