"""Patch records: kept, matched, applied."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from service.core.constraints import Constraint
from service.model import Companion, Types
from service.patches import Application, Batch, Edit, Move, Page, Patch, Standing, Step
from service.rollouts import Rollout, RolloutState


class ApplicationStates(Protocol):
    """Tells whether an application still waits for its provider."""

    async def is_dispatched(self, resource_id: str, application_id: str, attempt: int) -> bool:
        """Return whether the application is dispatched, in that attempt."""
        ...


class PatchStore(Protocol):
    """Keeps recorded patches, which never change."""

    async def insert(self, patch: Patch, recorded: Move, *, dry_run: bool = False) -> None:
        """Keep a new patch with its first event; raise `PatchExistsError` where the id is taken.

        A dry run raises what would be raised.
        """
        ...

    def companions(self, patch: Patch, recorded: Move) -> tuple[Companion, ...]:
        """Say what `insert` writes, so that it can be written together with a resource."""
        ...

    async def find(self, resource_id: str, patch_id: str) -> Patch | None:
        """Return the patch, or None when there is none of that id."""
        ...

    async def list_newest(self, resource_id: str, after: tuple[str, str] | None, limit: int) -> Batch:
        """Return patches newest first, those after (`created_at`, `patch_id`); fewer where they are very large."""
        ...

    async def find_standings(self, resource_id: str, patch_ids: list[str], types: Types) -> Mapping[str, Standing]:
        """Return where patches of a resource stand on targets of the types; those without any are left out."""
        ...


class ApplicationStore(Protocol):
    """Keeps applications: one for each patch and target, which moves from state to state."""

    async def find(self, application_id: str, resource_id: str | None = None) -> Application | None:
        """Return the application, or None; `resource_id` is the resource that its patch is recorded against."""
        ...

    async def list_newest(
        self, resource_id: str, patch_id: str, types: Types, after: tuple[str, str] | None, limit: int
    ) -> list[Application]:
        """Return the applications of a patch, the latest first, those after (`started_at`, `id`)."""
        ...

    async def list_overdue(self, now: str, limit: int) -> list[Application]:
        """Return dispatched applications whose deadline has passed, the longest ago first."""
        ...

    def companions(self, step: Step) -> tuple[Companion, ...]:
        """Say what a step writes, so that it can be written together with the target's next version."""
        ...

    async def commit(self, step: Step, others: Sequence[Companion] = ()) -> None:
        """Write a step that changes no resource, and other records with it: all or nothing.

        Raises `InvalidTransitionError` when another request came first, and the `conflict` of the others.
        """
        ...


class MoveStore(Protocol):
    """Reads the moves of patches and applications."""

    async def list_oldest(
        self, resource_id: str, patch_id: str, types: Types, after: tuple[str, str] | None, limit: int
    ) -> list[Move]:
        """Return the moves of a patch and its applications, oldest first, those after (`at`, `id`)."""
        ...

    async def has_write(self, resource_id: str, application_id: str, write_id: str) -> bool:
        """Tell whether the request with the write id has moved the application."""
        ...


class Eligibility(Protocol):
    """Finds the resources that a patch fits."""

    async def find_page(
        self, constraints: Sequence[Constraint], types: Sequence[str] | None, after: str, limit: int
    ) -> Page:
        """Return the next resources, by id, that satisfy every constraint; None for `types` is any type.

        A page may hold fewer than `limit` and still have a next one.
        """
        ...


class Provider(Protocol):
    """Carries patches out at once, on the resources of the types that name no other provider."""

    def plan(self, patch: Patch) -> Edit:
        """Say what is to be done to a target now.

        Raises `ApplicationFailedError` that says what is understood, for a payload that is not.
        """
        ...


class RolloutStore(Protocol):
    """Keeps rollouts."""

    async def insert(self, rollout: Rollout) -> bool:
        """Keep a new rollout; False when there is one of that id."""
        ...

    async def find(self, rollout_id: str) -> Rollout | None:
        """Return the rollout, or None when there is none of that id."""
        ...

    async def list_newest(
        self, resource_id: str, patch_id: str, after: tuple[str, str] | None, limit: int
    ) -> list[Rollout]:
        """Return the rollouts of a patch, newest first, those after (`created_at`, `id`)."""
        ...

    async def claim(self, now: str, until: str) -> Rollout | None:
        """Lease a running rollout; None when there is none to work on."""
        ...

    async def advance(self, rollout: Rollout, held: str, until: str) -> bool:
        """Keep how far a leased rollout has come and renew the lease; False when lease or state is another's."""
        ...

    async def move(
        self, rollout_id: str, source: RolloutState, to: RolloutState, now: str, write_id: str | None
    ) -> bool:
        """Change the state, if it is `source`."""
        ...
