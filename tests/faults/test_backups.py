"""A backup under load, restored elsewhere: it has what was acknowledged before, and `patchbay check` is clean."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.faults.journal import Journal
from tests.processes import Spawn

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

WRITERS = 12
RESOURCES = 6
JSON_PATCH = {"Content-Type": "application/json-patch+json"}


async def post(session: aiohttp.ClientSession, number: int) -> str:
    content = {"items": [], "identifier": [{"system": "list", "value": str(number)}]}
    async with session.post("/v1/list", json=content) as response:
        assert response.status == 201, await response.text()
        return str((await response.json())["id"])


async def patch(session: aiohttp.ClientSession, resource_id: str, token: str) -> bool:
    """Append a token, and put another identifier in the place of the one before: two records change together."""
    operations = [
        {"op": "add", "path": "/items/-", "value": token},
        {"op": "replace", "path": "/identifier/0/value", "value": token},
    ]
    body = msgspec.json.encode(operations)
    async with session.patch(f"/v1/list/{resource_id}", data=body, headers=JSON_PATCH) as response:
        assert response.status == 200, await response.text()
    return True


async def fetch(session: aiohttp.ClientSession, path: str) -> Any:
    async with session.get(path) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def test_backup_under_load_comes_back_whole(spawn_service: Spawn, tmp_path: Path) -> None:
    file = tmp_path / "copy.gz"

    async def run(*arguments: str, data_dir: str) -> str:
        folder = tmp_path / data_dir
        command = spawn_service(arguments=arguments, listens=False, mongodb_uri="", data_dir=folder)
        assert await asyncio.to_thread(command.wait) == 0, command.output + command.errors
        return command.output

    source = await asyncio.to_thread(lambda: spawn_service(mongodb_uri="", data_dir=tmp_path / "from"))
    async with aiohttp.ClientSession(source.url) as session:
        journal, stop = Journal([await post(session, number) for number in range(RESOURCES)]), asyncio.Event()

        async def append(resource_id: str, token: str) -> bool:
            return await patch(session, resource_id, token)

        writing = [asyncio.create_task(journal.keep_writing(append, stop)) for _ in range(WRITERS)]
        while journal.count < 200:
            await asyncio.sleep(0.02)
        before = {each: list(tokens) for each, tokens in journal.acknowledged.items()}
        await run("backup", str(file), data_dir="from")
        during = journal.count - sum(map(len, before.values()))
        stop.set()
        await asyncio.gather(*writing)
    checked_under_service = await run("check", data_dir="from")
    source.stop()

    await run("restore", str(file), data_dir="to")
    checked = await run("check", data_dir="to")
    restored = await asyncio.to_thread(lambda: spawn_service(mongodb_uri="", data_dir=tmp_path / "to"))
    async with aiohttp.ClientSession(restored.url) as session:
        found = {each: await fetch(session, f"/v1/list/{each}") for each in journal.resource_ids}
        by_identifier = [await fetch(session, f"/v1/list/list|{each['items'][-1]}") for each in found.values()]

    assert during > 0
    assert "wrong" not in checked_under_service
    assert f"{RESOURCES} identifiers, {RESOURCES} resources" in checked
    assert "wrong" not in checked
    assert by_identifier == list(found.values())
    for resource_id, resource in found.items():
        written = journal.acknowledged[resource_id]
        assert set(before[resource_id]) <= set(resource["items"]) <= set(written)
        assert len(resource["items"]) == len(set(resource["items"]))
