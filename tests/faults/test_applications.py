"""The service killed while patches are applied and reverted: applications, events and targets always agree."""

import asyncio
import itertools
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.processes import ServiceProcess

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

ROUNDS = int(os.environ.get("PATCHBAY_TEST_FAULT_ROUNDS", "5"))
TARGETS = 4
WORKERS = 8
_UNREACHABLE = (aiohttp.ClientError, ConnectionError, TimeoutError)


class Ledger:
    """Which patches there are, for which targets, and what was answered last for each pair."""

    def __init__(self, targets: list[str]) -> None:
        self.targets = targets
        self.patches: list[str] = []
        self.answered: dict[tuple[str, str], str] = {}
        self.count = 0

    @property
    def owner(self) -> str:
        """The resource that the patches are recorded against."""
        return self.targets[0]

    def url(self, patch_id: str) -> str:
        return f"/resources/{self.owner}/patches/{patch_id}"


async def fetch(session: aiohttp.ClientSession, path: str) -> Any:
    """Read a whole list, or one document."""
    async with session.get(path) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def make_targets(session: aiohttp.ClientSession) -> Ledger:
    made = []
    for _ in range(TARGETS):
        async with session.post("/v1/list", json={"items": []}) as response:
            made.append((await response.json())["id"])
    return Ledger(made)


async def keep_moving(ledger: Ledger, session: aiohttp.ClientSession, numbers: Iterator[int]) -> None:
    """Record patches, apply each to every target, and take some back, until the service is gone."""
    try:
        while True:
            patch_id = f"p{next(numbers)}"
            operation = {"op": "add", "path": "/items/-", "value": patch_id}
            definition = {"patch_id": patch_id, "payload": {"operations": [operation]}}
            async with session.post(f"/resources/{ledger.owner}/patches", json={"definition": definition}) as response:
                assert response.status == 201, await response.text()
            ledger.patches.append(patch_id)
            for target in ledger.targets:
                await move(ledger, session, patch_id, target)
    except _UNREACHABLE:
        return


async def move(ledger: Ledger, session: aiohttp.ClientSession, patch_id: str, target: str) -> None:
    """Apply a patch to a target, and take it back one time in two."""
    for verb, wanted, state in (("apply", 200, "applied"), ("revert", 201, "reverted")):
        ledger.answered.pop((patch_id, target), None)  # from here on either state may be found
        async with session.post(f"{ledger.url(patch_id)}/{verb}", json={"target_id": target}) as response:
            text = await response.text()
            assert response.status in (wanted, 429, 503), text
        if response.status != wanted:
            return
        ledger.answered[patch_id, target] = state
        ledger.count += 1
        if random.random() < 0.5:
            return


async def check(ledger: Ledger, session: aiohttp.ClientSession) -> None:
    """Compare every pair of patch and target with what both collections and the histories say."""
    contents = {each: await fetch(session, f"/v1/list/{each}") for each in ledger.targets}
    made: dict[str, list[int]] = {each: [] for each in ledger.targets}
    recorded = {each["patch_id"] for each in await all_patches(ledger, session)}
    assert set(ledger.patches) <= recorded
    for patch_id in ledger.patches:
        applications = {
            each["target_id"]: each for each in await fetch(session, f"{ledger.url(patch_id)}/applications")
        }
        events = await fetch(session, f"{ledger.url(patch_id)}/events?limit=500")
        for target in ledger.targets:
            application = applications.get(target)
            found = state_of(application)
            moves = [each for each in events if each["target_id"] == target]
            assert found == ledger.answered.get((patch_id, target), found)
            assert contents[target]["items"].count(patch_id) == (found == "applied")
            assert [each["to"] for each in moves] == {"pending": [], "applied": ["applied"]}.get(
                found, ["applied", "reverted"]
            )
            if application is not None:
                made[target].append(application["result_version"])
            if found == "reverted":
                made[target].append(await inverse_version(session, target, application))
    for target, versions in made.items():
        history = await fetch(session, f"/v1/list/{target}/history?limit=1")
        assert sorted(versions) == list(range(2, history[0]["version"] + 1))


def state_of(application: dict[str, Any] | None) -> str:
    if application is None:
        return "pending"
    return "reverted" if application["reverted_by"] else str(application["status"])


async def inverse_version(session: aiohttp.ClientSession, target: str, application: Any) -> int:
    """Give the version that the inverse patch made; it is recorded with the target, and applied."""
    inverse = f"/resources/{target}/patches/{application['reverted_by']}"
    (applied,) = await fetch(session, f"{inverse}/applications")
    assert (applied["status"], (await fetch(session, inverse))["status"]) == ("applied", "applied")
    return int(applied["result_version"])


async def all_patches(ledger: Ledger, session: aiohttp.ClientSession) -> list[Any]:
    found: list[Any] = []
    url: Any = f"/resources/{ledger.owner}/patches?limit=500"
    while url:
        async with session.get(url) as response:
            found += await response.json()
            url = URL(response.links["next"]["url"]).relative() if "next" in response.links else None
    return found


async def test_service_killed_while_patches_are_applied(tmp_path: Path) -> None:
    ledger, numbers = Ledger([]), itertools.count()
    for number in range(ROUNDS + 1):
        service = ServiceProcess(tmp_path / f"service-{number}", {"data_dir": tmp_path / "data"})
        try:
            await asyncio.to_thread(service.wait_until_ready)
            async with aiohttp.ClientSession(service.url) as session:
                ledger = ledger if ledger.targets else await make_targets(session)
                await check(ledger, session)
                if number == ROUNDS:
                    break
                before = ledger.count
                workers = [asyncio.create_task(keep_moving(ledger, session, numbers)) for _ in range(WORKERS)]
                await asyncio.sleep(random.uniform(0.5, 1.5))
                async with asyncio.timeout(60):
                    while ledger.count == before:  # a slow machine: let there be something to lose
                        await asyncio.sleep(0.05)
                service.process.kill()
                await asyncio.gather(*workers)
        finally:
            await asyncio.to_thread(service.end)
