"""A look over the whole database, also while it serves: do its parts agree with one another?"""

from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

from service.store.backtracking import Histories
from service.store.claims import Claims
from service.store.draining import Drain
from service.store.findings import Finding, look_over
from service.store.leases import Leases
from service.store.mongo import Collection, Database, Record, translated
from service.store.revisions import Revisions

SUBJECTS = ("identifiers", "resources", "revisions", "applications")
"""The collections that are looked at, in this order."""


class Checker:
    """Looks; `undrained_since` is the time before which logs should have been drained."""

    def __init__(self, database: Database, undrained_since: str) -> None:
        self._database = database
        self._resources: Collection = database["resources"]
        self._since = undrained_since
        self._claims = Claims(database)
        self._histories = Histories(database)
        self._drain = Drain(database, Revisions(database))

    async def count(self, subject: str) -> int:
        """Return how many records there are about."""
        with translated():
            return await self._database[subject].estimated_document_count()

    async def check(self, subject: str, seen: Callable[[int], None]) -> AsyncIterator[Finding]:
        """Yield what is found in a collection of `SUBJECTS`; `seen` is told how many records were looked at."""
        look = {
            "identifiers": self._claims.look_at_claims,
            "resources": self._look_at_resources,
            "revisions": self._look_at_buckets,
            "applications": self._look_at_applications,
        }[subject]
        async for finding in look_over(self._database[subject], look, seen):
            yield finding

    async def _look_at_resources(self, resource_ids: Sequence[str]) -> list[Finding]:
        return [
            *await self._look_at_logs(resource_ids),
            *await self._claims.look_at_resources(resource_ids),
            *await self._histories.look_at(resource_ids),
        ]

    async def _look_at_logs(self, resource_ids: Sequence[str]) -> list[Finding]:
        late = {"_id": {"$in": list(resource_ids)}, "undrained": {"$lt": self._since}}
        with translated():
            found: list[Record] = await self._resources.find(late, {"undrained": 1}).to_list(None)
        if not found:
            return []
        if is_served := await Leases(self._database).is_held("relay"):
            advice = "The services should do it within seconds: look for `relay` in their logs. --repair drains it now."
        else:
            advice = "Nothing is lost. No service runs, and one that starts drains it; --repair does it now."
        return [
            Finding(
                each["_id"],
                f"its log waits to be drained since {each['undrained']}",
                advice,
                is_wrong=is_served,
                mend=partial(self._drain_log, each["_id"]),
            )
            for each in found
        ]

    async def _drain_log(self, resource_id: str) -> bool:
        await self._drain.drain([resource_id])
        with translated():
            return await self._resources.find_one({"_id": resource_id, "undrained": {"$lt": self._since}}) is None

    async def _look_at_buckets(self, bucket_ids: Sequence[str]) -> list[Finding]:
        with translated():
            found: list[Record] = (
                await self._database["revisions"]
                .find({"_id": {"$in": list(bucket_ids)}}, {"resource": 1, "last": 1})
                .to_list(None)
            )
        versions = await self._versions([each["resource"] for each in found])
        advice = "Take the resource from a backup: restore it elsewhere, and read it there."
        return [
            Finding(
                each["_id"], f"the history of {each['resource']} has version {each['last']}, and it has not", advice
            )
            for each in found
            if versions.get(each["resource"], 0) < each["last"]
        ]

    async def _look_at_applications(self, application_ids: Sequence[str]) -> list[Finding]:
        wanted = {"_id": {"$in": list(application_ids)}}
        with translated():
            found: list[Record] = await self._database["applications"].find(wanted).to_list(None)
        versions = await self._versions([each["target"] for each in found])
        return [
            Finding(
                each["_id"],
                f"the application of {each['patch']} says {each['status']}, and {fault}",
                f"Compare GET /resources/{each['resource']}/patches/{each['patch']}/events with the target's history; "
                "the target is what counts.",
            )
            for each in found
            if (fault := _fault_of(each, versions.get(each["target"], 0)))
        ]

    async def _versions(self, resource_ids: Sequence[str]) -> dict[str, int]:
        with translated():
            found = self._resources.find({"_id": {"$in": list(set(resource_ids))}}, {"v": 1})
            return {each["_id"]: each.get("v", 0) async for each in found}


def _fault_of(application: Record, version: int) -> str | None:
    """Say how an application and its target, which stands at the version, do not agree."""
    target, result = application["target"], application["result"]
    if version == 0:
        return f"its target {target} is not there"
    if application["status"] == "applied" and result is None:
        return "names no version that it made"
    if result is not None and result > version:
        return f"made version {result} of {target}, which stands at {version}"
    return None
