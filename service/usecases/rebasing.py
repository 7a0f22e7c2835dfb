"""Changes that were made for an earlier version, carried to the one that stands by a three-way merge."""

from collections.abc import Callable

import msgspec

from service.core.conflict import list_conflicts
from service.core.threeway import merge
from service.errors import VersionConflictError
from service.model import Change, Draft, Resource
from service.ports import Changing
from service.usecases.asked import Asked, Rules, admit
from service.usecases.drafting import content_of, draft_of, succeed

MOST_CONFLICTS = 1000
"""More are not listed."""


def rebasing(asked: Asked, base: Resource, making: Callable[[Asked], Changing]) -> Changing:
    """Carry a change that was made for an earlier version, `base`, to the one that stands, by a three-way merge.

    The change raises `VersionConflictError` with the member `conflicts` where both changed the same in different ways:
    edit1 is what the request makes of the base, edit2 what stands. What the type asks is asked of the outcome.
    """
    freely = Rules(identified_lists=(), computed=asked.rules.computed)
    meant = making(msgspec.structs.replace(asked, rules=freely))

    def change(draft: Draft | None) -> Change | None:
        standing = admit(asked, draft)
        edited = meant(draft_of(base))
        if edited is None:
            return None
        tree = merge(content_of(base), edited.content, standing.content).tree
        conflicts = list_conflicts(tree)
        if conflicts:
            raise VersionConflictError(
                f"The change to version {base.version} and what came since disagree at {len(conflicts)} places: read "
                f"version {standing.version}, settle the 'conflicts', and send the outcome with its ETag.",
                current=standing.version,
            ).with_extensions(conflicts=conflicts[:MOST_CONFLICTS])
        return succeed(asked, standing, standing.content, tree, edited.kind)

    return change
