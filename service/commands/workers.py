"""Several processes that share a port: started, restarted when they fall, replaced one by one on SIGHUP.

The parent owns the listening socket and the embedded MongoDB; it serves no request itself.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from service import metrics
from service.commands.listening import greet, listen
from service.errors import StartError
from service.settings import Settings
from service.store import lifeline
from service.store.deployment import check_deployment
from service.store.embedded import EmbeddedMongo
from service.store.mongo import connect

_LOG = logging.getLogger("patchbay.workers")
_READY_TIMEOUT_S = 60.0
_FIRST_DELAY_S = 0.2
_LONGEST_DELAY_S = 10.0


class Inherited(NamedTuple):
    """What a worker gets from its parent: the listening socket, and a pipe to say that it serves."""

    listening_fd: int
    ready_fd: int

    def listening(self) -> socket.socket:
        """Return the parent's listening socket."""
        return socket.socket(fileno=self.listening_fd)

    def tell_ready(self) -> None:
        """Tell the parent that requests are being served."""
        os.write(self.ready_fd, b"1")
        os.close(self.ready_fd)


class _Pool:
    """The workers of a service, one in each slot: the process that serves, or the last that did."""

    def __init__(self, count: int, listening: socket.socket, environment: dict[str, str], grace_s: float) -> None:
        self._count = count
        self._listening = listening
        self._environment = environment
        self._grace_s = grace_s
        self._running: dict[int, asyncio.subprocess.Process] = {}
        self._leaving: set[asyncio.subprocess.Process] = set()
        self._turns = [asyncio.Lock() for _ in range(count)]  # one at a time fills a slot

    async def start(self) -> None:
        """Start every worker and wait until each serves."""
        await asyncio.gather(*(self._spawn(slot) for slot in range(self._count)))

    async def keep_up(self, slot: int) -> None:
        """Restart the worker of a slot whenever it ends, with growing delays as long as it does not get ready."""
        delay = _FIRST_DELAY_S
        while True:
            process = self._running[slot]
            code = await process.wait()
            metrics.forget_process(process.pid, self._environment[metrics.MULTIPROCESS_DIR])
            if self._running[slot] is not process:  # replaced on SIGHUP
                continue
            _LOG.error("worker %d (process %d) ended with code %s; starting another", slot, process.pid, code)
            await asyncio.sleep(delay)
            try:
                async with self._turns[slot]:
                    if self._running[slot] is process:  # else a SIGHUP came first
                        await self._spawn(slot)
                delay = _FIRST_DELAY_S
            except StartError:
                delay = min(delay * 2, _LONGEST_DELAY_S)

    async def replace(self) -> None:
        """Replace the workers one by one: the old one stops once the new one serves."""
        for slot in range(self._count):
            async with self._turns[slot]:
                old = self._running[slot]
                await self._spawn(slot)
            self._leaving.add(old)
            await self._stop(old)
            self._leaving.discard(old)
        _LOG.info("all workers are replaced")

    async def stop(self) -> None:
        """Stop all workers; requests in flight may finish, those of a worker that is being replaced too."""
        await asyncio.gather(*(self._stop(process) for process in {*self._running.values(), *self._leaving}))

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self._grace_s + 5)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _spawn(self, slot: int) -> None:
        """Start a worker and wait until it serves; raise `StartError` when it does not get so far."""
        ready, told = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", lifeline.__file__, str(os.getpid())),
                *(sys.executable, "-P", "-m", "service", "serve"),
                *("--inherited", str(self._listening.fileno()), str(told)),
                env=self._environment,
                pass_fds=[self._listening.fileno(), told],
            )
        finally:
            os.close(told)
        said = b""
        try:
            with open(ready, "rb", buffering=0) as pipe:  # noqa: ASYNC230, PTH123 - a descriptor, and read in a thread
                said = await asyncio.wait_for(asyncio.to_thread(pipe.read, 1), _READY_TIMEOUT_S)
        except TimeoutError:
            pass  # it is given up as one that has ended
        finally:
            if not said:
                self._give_up(process)
        if not said:
            raise StartError("a worker did not get ready; its log lines say why")
        self._running[slot] = process

    def _give_up(self, process: asyncio.subprocess.Process) -> None:
        """End a worker that did not get ready, and its numbers with it; the slot stays with who serves in it."""
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        metrics.forget_process(process.pid, self._environment[metrics.MULTIPROCESS_DIR])


async def supervise(settings: Settings) -> None:
    """Run `settings.workers` processes until a signal says stop; SIGHUP replaces them one by one."""
    loop = asyncio.get_running_loop()
    stop, renew = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, renew.set)
    listening = listen(settings)
    with listening, tempfile.TemporaryDirectory(prefix="patchbay-metrics-") as numbers:
        async with _database(settings) as (uri, version):
            shared = {"PATCHBAY_MONGODB_URI": uri, "PATCHBAY_WORKERS": "1", metrics.MULTIPROCESS_DIR: numbers}
            shared["PYTHONPATH"] = os.pathsep.join(sys.path)  # and -P: else a folder `service` here would be run
            pool = _Pool(settings.workers, listening, {**os.environ, **shared}, settings.shutdown_grace_s)
            try:
                await pool.start()
                greet(listening, version, settings)
                await _keep_up(pool, settings.workers, stop, renew)
            finally:
                await pool.stop()


async def _keep_up(pool: _Pool, count: int, stop: asyncio.Event, renew: asyncio.Event) -> None:
    async def renewing() -> None:
        while True:
            await renew.wait()
            renew.clear()
            with contextlib.suppress(StartError):  # the old worker of that slot goes on
                await pool.replace()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(pool.keep_up(slot)) for slot in range(count)]
        tasks.append(group.create_task(renewing()))
        await stop.wait()
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[tuple[str, str]]:
    """Give the URI that the workers use, and the server's version."""
    if settings.mongodb_uri:
        yield settings.mongodb_uri, await _version(settings.mongodb_uri)
        return
    async with EmbeddedMongo(settings.data_dir) as server:
        yield server.uri, await _version(server.uri)


async def _version(uri: str) -> str:
    client = connect(uri)
    try:
        return await check_deployment(client)
    finally:
        client.close()
