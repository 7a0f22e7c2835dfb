"""Several processes on one port: they share the load, come back when killed, and are renewed without a lost request."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.settings import Settings

ROOT = Path(__file__).parents[2]


class Service:
    """A running `python -m service` with two workers."""

    def __init__(self, settings: Settings, **more: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service"],
            cwd=ROOT,
            env={
                **os.environ,
                "PATCHBAY_WORKERS": "2",
                "PATCHBAY_PORT": "0",
                "PATCHBAY_MONGODB_URI": settings.mongodb_uri or "",
                "PATCHBAY_MONGODB_DATABASE": settings.mongodb_database,
                "PATCHBAY_LOG_LEVEL": "error",
                **{f"PATCHBAY_{name}": value for name, value in more.items()},
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        found = re.search(r"http://\S+", self.process.stdout.readline())
        assert found, "the service did not start"
        self.url = found[0]

    def workers(self) -> set[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {int(child) for child in children if b"--inherited" in Path(f"/proc/{child}/cmdline").read_bytes()}

    def stop(self) -> int:
        self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            assert self.process.stdout is not None
            self.process.stdout.close()


@pytest.fixture(name="service")
def run_service(settings: Settings) -> Iterator[Service]:
    service = Service(settings)
    yield service
    service.stop()


@pytest.fixture(name="session")
async def open_session() -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as session:
        yield session


async def until_workers_are(service: Service, *, other_than: set[int]) -> set[int]:
    async with asyncio.timeout(60):
        while len(now := service.workers()) != 2 or now & other_than:
            await asyncio.sleep(0.1)
    return now


async def test_killed_worker_is_replaced_and_numbers_are_merged(
    service: Service, session: aiohttp.ClientSession
) -> None:
    before = await until_workers_are(service, other_than=set())
    for _ in range(10):
        assert (await session.get(f"{service.url}/healthz")).status == 200
    killed = min(before)
    os.kill(killed, signal.SIGKILL)

    after = await until_workers_are(service, other_than={killed})

    assert len(after) == 2
    text = await (await session.get(f"{service.url}/metrics")).text()
    assert 'patchbay_requests_total{method="GET",route="get_health",status="200"} 10.0' in text


async def test_hangup_renews_all_workers_without_a_failed_request(
    service: Service, session: aiohttp.ClientSession
) -> None:
    before = await until_workers_are(service, other_than=set())
    service.process.send_signal(signal.SIGHUP)
    renewing = asyncio.create_task(until_workers_are(service, other_than=before))

    statuses = []
    while not renewing.done():
        statuses.append((await session.get(f"{service.url}/healthz")).status)

    assert (await renewing).isdisjoint(before)
    assert set(statuses) == {200}


async def test_hangup_leaves_the_old_worker_where_the_new_one_cannot_start(
    settings: Settings, tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """The key of tokens is gone: no new worker gets ready until it is back, and the slots stay with the old ones."""
    key = tmp_path / "key.pem"
    key.write_bytes(make_public_key())
    service = Service(settings, AUTH="jwt", JWT_JWKS=str(key), JWT_ISSUER="i", JWT_AUDIENCE="a")
    before = await until_workers_are(service, other_than=set())
    key.rename(tmp_path / "away.pem")
    service.process.send_signal(signal.SIGHUP)
    await until_a_worker_comes_and_goes(service, before)

    status = (await session.get(f"{service.url}/healthz")).status
    (tmp_path / "away.pem").rename(key)
    service.process.send_signal(signal.SIGHUP)
    after = await until_workers_are(service, other_than=before)

    assert service.stop() == 0
    assert status == 200
    assert after.isdisjoint(before)


def make_public_key() -> bytes:
    return Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


async def until_a_worker_comes_and_goes(service: Service, before: set[int]) -> None:
    async with asyncio.timeout(60):
        while not service.workers() - before:
            await asyncio.sleep(0.02)
        while service.workers() != before:
            await asyncio.sleep(0.02)


def test_workers_end_with_their_parent(settings: Settings) -> None:
    service = Service(settings)
    workers = service.workers()

    assert service.stop() == 0

    assert [pid for pid in workers if Path(f"/proc/{pid}").exists()] == []
