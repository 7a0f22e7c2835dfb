"""Several processes on one port: they share the load, come back when killed, and are renewed without a lost request."""

import asyncio
import errno
import itertools
import os
import re
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

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
        return {child for child in map(int, children) if b"--inherited" in command_of(child)}

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


def command_of(pid: int) -> bytes:
    """The command line of a process; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


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


async def test_hangup_renews_all_workers_without_a_failed_request(service: Service) -> None:
    before = await until_workers_are(service, other_than=set())
    service.process.send_signal(signal.SIGHUP)
    renewing = asyncio.create_task(until_workers_are(service, other_than=before))

    answers = await asyncio.gather(*(ask_until(renewing, service.url) for _ in range(8)))

    assert (await renewing).isdisjoint(before)
    assert {each for some in answers for each in some} == {b"HTTP/1.1 200 OK\r\n"}


async def ask_until(done: asyncio.Task[set[int]], url: str) -> list[bytes]:
    """Ask on connections of one request each, none of them twice, as a client does that may not repeat what it asks."""
    answers = []
    while not done.done():
        reader, writer = await asyncio.open_connection(*urlsplit(url).netloc.split(":"))
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n")
        answers.append(await reader.readline())
        writer.close()
    return answers


class Key:
    """The file with the public key of tokens, which every worker reads before it serves."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.put()

    def put(self) -> None:
        """Let workers read the key."""
        key = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.path.unlink(missing_ok=True)
        self.path.write_bytes(key)

    def withhold(self) -> None:
        """Let workers wait for the key, at a pipe."""
        self.path.unlink()
        os.mkfifo(self.path)

    @asynccontextmanager
    async def asked_for(self) -> AsyncIterator[None]:
        """Stand where a worker waits for the key; when that is over it finds that there is none."""
        async with asyncio.timeout(60):
            while (end := self._open()) is None:
                await asyncio.sleep(0.02)
        try:
            yield
        finally:
            os.close(end)

    def _open(self) -> int | None:
        try:
            return os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:  # nobody has opened the other end
                raise
            return None


@pytest.fixture(name="key")
def make_key(tmp_path: Path) -> Key:
    return Key(tmp_path / "key.pem")


@pytest.fixture(name="guarded")
def run_guarded_service(settings: Settings, key: Key) -> Iterator[Service]:
    service = Service(settings, AUTH="jwt", JWT_JWKS=str(key.path), JWT_ISSUER="i", JWT_AUDIENCE="a")
    yield service
    service.stop()


async def test_hangup_leaves_the_old_workers_where_a_new_one_cannot_start(
    guarded: Service, key: Key, session: aiohttp.ClientSession
) -> None:
    """The slots stay with the old ones, so that the next hangup renews them and leaves none of them over."""
    before = guarded.workers()
    key.withhold()
    guarded.process.send_signal(signal.SIGHUP)
    async with key.asked_for():
        (new,) = guarded.workers() - before
    await until_gone({new})

    assert guarded.workers() == before
    assert (await session.get(f"{guarded.url}/healthz")).status == 200

    key.put()
    guarded.process.send_signal(signal.SIGHUP)
    after = await until_workers_are(guarded, other_than=before)  # and no third one

    assert guarded.stop() == 0
    await until_gone(after)


async def test_stop_amid_a_renewal_ends_the_worker_that_does_not_serve_yet(guarded: Service, key: Key) -> None:
    """It would never get ready: a parent that did not end it would wait for it and not come to its own end."""
    before = guarded.workers()
    key.withhold()
    guarded.process.send_signal(signal.SIGHUP)
    async with key.asked_for():
        workers = guarded.workers()

        assert await asyncio.to_thread(guarded.stop) == 0

        await until_gone(workers)
    assert len(workers - before) == 1


async def test_hangup_does_not_double_a_worker_that_was_about_to_be_started_again(guarded: Service, key: Key) -> None:
    """What keeps a worker from starting is mended, and a hangup sent so as not to wait for the next attempt."""
    before = guarded.workers()
    key.withhold()
    os.kill(min(before), signal.SIGKILL)
    for _ in range(3):
        async with key.asked_for():
            (new,) = guarded.workers() - before
        await until_gone({new})
    key.put()
    guarded.process.send_signal(signal.SIGHUP)
    after = await until_workers_are(guarded, other_than=before)

    for _ in range(40):  # the next attempt would come within two seconds
        await asyncio.sleep(0.1)

        assert guarded.workers() == after


class Talk:
    """A connection, and the process that it leads to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.process = ""

    @classmethod
    async def begin(cls, url: str) -> Self:
        talk = cls(*await asyncio.open_connection(*urlsplit(url).netloc.split(":")))
        head = await talk.ask()
        talk.process = head.partition(b"X-Request-Id: ")[2][:23].decode()
        return talk

    async def ask(self) -> bytes:
        self.writer.write(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n")
        answer = await self.reader.readuntil(b"}")
        return answer.partition(b"\r\n\r\n")[0]

    def begin_to_write(self) -> None:
        """Send a request without the end of its body."""
        self.writer.write(b"POST /v1/late HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n")
        self.writer.write(b"Content-Length: 2\r\n\r\n{")

    async def finish(self) -> bytes:
        """Send the end and return the first line of the answer."""
        self.writer.write(b"}")
        return await self.reader.readline()


@pytest.fixture(name="talks")
async def talk_to_both(service: Service) -> AsyncIterator[dict[str, list[Talk]]]:
    """Connections to both workers, two to each, by the names of the processes."""
    talks = defaultdict[str, list[Talk]](list)
    async with asyncio.timeout(60):
        while sorted(map(len, talks.values()))[-2:-1] < [2]:
            talk = await Talk.begin(service.url)
            talks[talk.process].append(talk)
    yield talks
    for each in itertools.chain(*talks.values()):
        each.writer.close()


async def until_one_leaves(talks: dict[str, list[Talk]]) -> str:
    """Wait until a worker ends its connections; return its name."""
    async with asyncio.timeout(60):
        for name in itertools.cycle(talks):
            if b"Connection: close" in await talks[name][0].ask():
                return name
            await asyncio.sleep(0.02)
    raise AssertionError


async def test_stop_amid_a_renewal_lets_the_old_worker_finish(service: Service, talks: dict[str, list[Talk]]) -> None:
    for _, writing, *_ in talks.values():
        writing.begin_to_write()
    service.process.send_signal(signal.SIGHUP)
    leaving = await until_one_leaves(talks)
    (staying,) = talks.keys() - {leaving}

    service.process.terminate()
    answers = [await talks[staying][1].finish()]
    with pytest.raises(subprocess.TimeoutExpired):  # the parent waits, though all others have ended
        await asyncio.to_thread(service.process.wait, 3)
    answers.append(await talks[leaving][1].finish())

    assert answers == [b"HTTP/1.1 201 Created\r\n"] * 2
    assert await asyncio.to_thread(service.process.wait, 60) == 0


async def until_gone(pids: set[int]) -> None:
    async with asyncio.timeout(60):
        while any(command_of(pid) for pid in pids):
            await asyncio.sleep(0.02)


def test_workers_end_with_their_parent(settings: Settings) -> None:
    service = Service(settings)
    workers = service.workers()

    assert service.stop() == 0

    assert [pid for pid in workers if Path(f"/proc/{pid}").exists()] == []
