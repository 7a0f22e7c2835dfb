"""Resources, their history, their types."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from service.core.listing import Listing, Place
from service.model import Answer, Attribution, Change, Draft, Resource, Revision, Written

Changing: TypeAlias = Callable[[Draft | None], Change | None]
"""Makes the next version of a resource, None when there is nothing to change. Gets None where no resource is.

It depends on the draft alone (it is called again on the newer version after a lost race), and may edit the
draft's content in place, on whatever thread; what it raises goes to the caller of `write`, and nothing is written.
"""


class ListedRevisions(NamedTuple):
    """Revisions, newest first; the next page has those below the version `rest`, None where there is none."""

    revisions: list[Revision]
    rest: int | None


class ResourceStore(Protocol):
    """Keeps resources and every change to them.

    A write that returned is durable; one that raised changed nothing, except after `StoreUnavailableError`, when it
    may have been done: the same write id again makes sure that it is, once.
    """

    async def find(self, resource_id: str) -> Resource | None:
        """Return the resource as it stands, deleted or not, or None when there never was one."""
        ...

    async def write(
        self,
        resource_id: str,
        resource_type: str,
        change: Changing,
        attribution: Attribution,
        *,
        dry_run: bool = False,
        weight: int = 0,
    ) -> Written:
        """Apply the change to the newest version; `resource_type` is what a resource is that the change creates.

        A change that is made of many bytes, its `weight`, or of a large resource, is worked out on another thread.

        Writes to one resource take effect one after another, none is lost. A dry run answers what would be.
        Raises what the change raises, the `conflict` of a companion, `NotStorableError` with the pointer of the
        value, `NotFoundError` when the change makes nothing of no resource, `StoreUnavailableError`,
        `OverloadedError` when too many writes wait for the resource.
        """
        ...

    async def list_revisions(self, resource_id: str, *, before: int | None = None, limit: int = 50) -> ListedRevisions:
        """Return how the newest versions came about, newest first, those below `before`; fewer where they are large."""
        ...

    async def find_version(self, resource_id: str, version: int) -> Resource | None:
        """Return the resource as it stood at a version, or None when it never had it."""
        ...


class IdempotencyStore(Protocol):
    """Remembers for a day what was answered to a request that carried an idempotency key.

    `key` stands for caller and key, `fingerprint` for the request. Derive the `write_id` of what the request writes,
    and the id of what it creates, from `key`: then a request whose first answer was lost in a crash is not done twice.
    """

    async def begin(self, key: str, fingerprint: str) -> Answer | None:
        """Return the first answer, or None when the request is to be carried out now.

        Raises `IdempotencyKeyReusedError` for another fingerprint, `BusyIdempotencyKeyError` while the first request
        is being carried out.
        """
        ...

    async def finish(self, key: str, answer: Answer) -> None:
        """Keep the answer."""
        ...

    async def abandon(self, key: str) -> None:
        """Forget the request: it failed in a way that the same key may try again."""
        ...


class IdentifierStore(Protocol):
    """Reads which resources hold an identifier; the claims are written as companions of a change."""

    def claim_id(self, resource_type: str, value: str, system: str) -> str:
        """Return the id of the record that claims the identifier."""
        ...

    async def find(self, resource_type: str, value: str, system: str | None = None) -> list[str]:
        """Return the ids of resources that hold the value in the system, or in any; one id may come twice."""
        ...


class TypeStore(Protocol):
    """Keeps definitions of types, as JSON by name, and a count of changes that tells other instances to look."""

    async def read_count(self) -> int:
        """Return how many changes there have been to definitions."""
        ...

    async def read_all(self) -> dict[str, bytes]:
        """Return all definitions."""
        ...

    async def put(self, name: str, definition: bytes, *, since: int) -> bool | None:
        """Keep a definition and count the change, or neither; return whether the type had none before.

        None, and nothing is kept, where there have been more changes than `since`.
        """
        ...

    async def delete(self, name: str) -> bool:
        """Forget a definition and count the change, or neither; return whether there was one."""
        ...


class ContainedResources(NamedTuple):
    """Contained resources, and whether these are all."""

    resources: list[Resource]
    are_all: bool


class ContainedStore(Protocol):
    """Finds the resources of one type whose content names a parent, and the turns of parents."""

    async def read_turn(self, parent_id: str) -> int:
        """Return how often something entered the parent, as the primary has it."""
        ...

    async def find_contained(
        self, resource_type: str, member: str, parent_ids: Sequence[str], *, limit: int
    ) -> ContainedResources:
        """Return those that name one of the parents in the member, not deleted, oldest first.

        At most `limit`, and no more than fit into memory with ease: then there are more.
        """
        ...


class Timeline(Protocol):
    """Tells versions by time."""

    async def find_version_at(self, resource_id: str, moment: str) -> int | None:
        """Return the newest version that is not younger than the moment, None where none is, or is kept."""
        ...


class IndexStore(Protocol):
    """Makes the indexes that a type's definition asks for."""

    async def ensure_members(self, members: Sequence[tuple[str, ...]], *, dry_run: bool = False) -> None:
        """Make an index of each member's values where there is none; raise `InvalidRequestError` for too many.

        Those of other members go when room is short. A dry run raises what would be raised.
        """
        ...


class ListedPage(NamedTuple):
    """A page of resources, and the place after which the next one begins, None where there is none."""

    resources: list[Resource]
    rest: Place | None


class ResourceLister(Protocol):
    """Lists resources of a type that are not deleted."""

    async def count(self, resource_type: str) -> int:
        """Return how many there are."""
        ...

    async def scan(self, resource_type: str, after: str | None, limit: int) -> list[Resource]:
        """Return those whose ids follow `after`, in the order of ids."""
        ...

    async def list_page(self, resource_type: str, listing: Listing, limit: int) -> ListedPage:
        """Return those that the listing asks for, in its order, with what the next page begins after.

        Raises `TooComplexError` when the database does not find them in time.
        """
        ...


class RetentionStore(Protocol):
    """Forgets old versions."""

    async def trim(self, versions: int, since: str) -> int:
        """Forget versions that are neither among the newest `versions` nor stood at `since` or later.

        0 and the empty text leave the other to decide. The newest version always stays, and some more may. Returns
        how many resources lost versions.
        """
