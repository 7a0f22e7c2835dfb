"""The store of resources as the use cases know it (`ports.ResourceStore`)."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from service.model import Attribution, Resource, Written
from service.ports import Changing, Clock, ListedRevisions
from service.store.commits import Commits
from service.store.mongo import Database
from service.store.reads import Reads
from service.store.relay import Relay
from service.store.revisions import Revisions
from service.store.writer import Writer


class MongoResources:
    """Keeps resources in the collection `resources`, what became of them in `revisions`; `relay` is to be entered."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        on_batch: Callable[[str, int], object] = lambda _kind, _size: None,
        on_history: Callable[[], object] = lambda: None,
    ) -> None:
        self._reads = Reads(database, partial(on_batch, "read"))
        commits = Commits(database, partial(on_batch, "write"))
        self._revisions = Revisions(database)
        self.relay = Relay(database, self._revisions, clock, on_history)
        self._writer = Writer(database, self._reads, self._revisions, self.relay, clock, commits)

    def find(self, resource_id: str) -> Coroutine[Any, Any, Resource | None]:
        """Return the resource as it stands, deleted or not, or None when there never was one."""
        return self._reads.find(resource_id)

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
        """Apply the change to the newest version; see `ports.ResourceStore`."""
        return await self._writer.write(resource_id, resource_type, change, attribution, is_dry=dry_run, weight=weight)

    async def list_revisions(self, resource_id: str, *, before: int | None = None, limit: int = 50) -> ListedRevisions:
        """Return how the newest versions came about, newest first, those below `before`; fewer where they are large."""
        return await self._revisions.list_newest(resource_id, before, limit)

    async def find_version(self, resource_id: str, version: int) -> Resource | None:
        """Return the resource as it stood at a version, or None when it never had it."""
        return await self._revisions.find_version(resource_id, version)
