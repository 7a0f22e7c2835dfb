"""The values of rollouts: one patch applied, in the background, to every resource that it fits."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from service.core.constraints import Constraint
from service.model import Caller, Timestamp

RolloutState = Literal["running", "paused", "halted", "cancelled", "finished"]
Wish = Literal["pause", "resume", "cancel"]

LEGAL: dict[RolloutState, dict[Wish, RolloutState]] = {
    "running": {"pause": "paused", "cancel": "cancelled"},
    "paused": {"resume": "running", "cancel": "cancelled"},
    "halted": {"resume": "running", "cancel": "cancelled"},
    "cancelled": {},
    "finished": {},
}
"""From a state, by a wish, to the next state. A running one becomes `halted` or `finished` by itself."""


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is asked for. `filter` narrows what the patch's own constraints select.

    The rollout halts as soon as more than `max_failures` applications have failed.
    """

    type: str | None = None
    filter: Annotated[tuple[Constraint, ...], Meta(max_length=100)] = ()
    batch_size: Annotated[int, Meta(ge=1, le=500)] = 50
    max_failures: Annotated[int, Meta(ge=0)] = 0
    dry_run: bool = False


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rollout has come. `after` is the last target dealt with; `total` is null until all are counted.

    Each target counts once: as `done` (applied, or dispatched to its provider), `failed`, or `skipped` (it no longer
    fits, is deleted, or was dealt with before this rollout). `forgiven` are failures from before it was resumed.
    `write_id` is that of the request which steered it last, where that had one.
    """

    id: str
    resource_id: str
    patch_id: str
    order: Order
    state: RolloutState = "running"
    total: int | None = None
    done: int = 0
    failed: int = 0
    skipped: int = 0
    after: str = ""
    caller: Caller
    created_at: Timestamp
    updated_at: Timestamp
    finished_at: Timestamp | None = None
    error: str | None = None
    forgiven: int = 0
    write_id: str | None = None

    @property
    def is_live(self) -> bool:
        """Whether somebody works on it, or may again."""
        return bool(LEGAL[self.state])
