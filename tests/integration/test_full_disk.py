"""The disk under the embedded database runs full: refusals that say so, nothing lost, and back when there is room."""

import asyncio
import contextlib
import os
import subprocess
from pathlib import Path

import aiohttp
import pytest

from tests.processes import ServiceProcess

UNSHARE = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
MOUNT = 'mount -t tmpfs -o size=450m none "$0" && exec "$@"'
TEXT = "x" * 200_000
PATIENCE_S = 240


def can_mount(folder: Path) -> bool:
    try:
        tried = subprocess.run([*UNSHARE, "sh", "-c", MOUNT, folder, "true"], check=False, capture_output=True)
    except FileNotFoundError:
        return False
    return tried.returncode == 0


def fill(disk: Path) -> Path:
    """Take all the room that is left, on a disk that is the small one."""
    assert os.statvfs(disk).f_blocks * os.statvfs(disk).f_frsize < 2**29
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(2**16)):
            pass
    return filler


async def post(session: aiohttp.ClientSession) -> tuple[int, str]:
    """Try to store; return the status, and the id or the code of the problem."""
    async with session.post("/v1/text", json={"text": TEXT}) as response:
        answer = await response.json(content_type=None)
        return response.status, answer.get("id") or answer["code"]


async def post_until(session: aiohttp.ClientSession, status: int, stored: list[str]) -> str:
    """Store until the answer has the status; note what was acknowledged, and look at every refusal."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answered, told = await post(session)
            assert (answered, told) == (503, "store-unavailable") or answered == 201, told
            stored += [told] if answered == 201 else []
            if answered == status:
                return told
            await asyncio.sleep(0.05 if answered == 503 else 0)


@pytest.mark.timeout(900)
async def test_full_disk_is_refused_clearly_and_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    if not can_mount(folder):
        pytest.skip(
            "NOT PROVEN HERE: this system lets nobody mount a small file system (unshare --mount), so what a full disk "
            "does to the service is not tried. Run the tests as root in a container."
        )
    under = (*UNSHARE, "sh", "-c", MOUNT, str(folder))
    service = ServiceProcess(tmp_path / "service", {"data_dir": folder / "data"}, under=under)
    try:
        await asyncio.to_thread(service.wait_until_ready)
        timeout = aiohttp.ClientTimeout(total=120)
        async with aiohttp.ClientSession(service.url, timeout=timeout) as session:
            stored: list[str] = []
            await post_until(session, 201, stored)
            filler = await asyncio.to_thread(fill, Path(f"/proc/{service.pid}/root{folder}"))
            await post_until(session, 503, stored)
            assert (await session.get("/healthz")).status == 200
            filler.unlink()
            await post_until(session, 201, stored)
            texts = [await (await session.get(f"/v1/text/{each}")).json() for each in stored]
    finally:
        await asyncio.to_thread(service.end)

    assert [each.get("text") == TEXT for each in texts] == [True] * len(stored)
    assert len(stored) > 2
