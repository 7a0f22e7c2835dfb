"""A replica set of three real servers on UNIX sockets, each of which can be killed and started again."""

import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import pymongo
from pymongo.errors import PyMongoError

from service.store.mongod import find_binary

_ARGUMENTS = ("--nounixsocket", "--replSet", "three", "--oplogSize", "64", "--wiredTigerCacheSizeGB", "0.25")


class ReplicaSet:
    """Three members in a short directory; elections are quick, so that a test is."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pb"))
        self._members: list[subprocess.Popen[bytes]] = []
        self.sockets = [str(self._folder / f"m{number}.sock") for number in range(3)]

    @property
    def uri(self) -> str:
        """All members, for a driver that finds the primary."""
        return f"mongodb://{','.join(quote(each, safe='') for each in self.sockets)}/?replicaSet=three"

    def __enter__(self) -> Self:
        self._members = [self._start(number) for number in range(3)]
        members = [{"_id": number, "host": socket} for number, socket in enumerate(self.sockets)]
        settings = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 300}
        self._retry(
            lambda: self._ask(0, "replSetInitiate", {"_id": "three", "members": members, "settings": settings}) or True
        )
        self.primary()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for member in self._members:
            member.kill()
            member.wait()
        shutil.rmtree(self._folder)

    def primary(self) -> int:
        """Wait for a primary; return its number."""
        found: list[int] = []

        def look() -> bool:
            alive = [number for number in range(3) if self._members[number].poll() is None]
            found.extend(number for number in alive if self._ask(number, "hello")["isWritablePrimary"])
            return bool(found)

        self._retry(look)
        return found[0]

    def kill(self, number: int) -> None:
        """End a member as a power cut would."""
        self._members[number].send_signal(signal.SIGKILL)
        self._members[number].wait()

    def restart(self, number: int) -> None:
        """Start a member again, and wait until it follows or leads."""
        self._members[number] = self._start(number)

        def is_member() -> bool:
            hello = self._ask(number, "hello")
            return bool(hello.get("secondary") or hello["isWritablePrimary"])

        self._retry(is_member)

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        data = self._folder / f"m{number}"
        data.mkdir(exist_ok=True)
        command = [str(find_binary()), *_ARGUMENTS, "--bind_ip", self.sockets[number], "--dbpath", str(data)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def _ask(self, number: int, command: str, value: Any = 1) -> dict[str, Any]:
        uri = f"mongodb://{quote(self.sockets[number], safe='')}/?directConnection=true"
        with pymongo.MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=300) as client:
            return client.admin.command(command, value)

    @staticmethod
    def _retry(condition: Any, patience_s: float = 60) -> None:
        deadline = time.monotonic() + patience_s
        while True:
            try:
                if condition():
                    return
            except PyMongoError:
                pass
            assert time.monotonic() < deadline, "the replica set did not get ready"
            time.sleep(0.05)
