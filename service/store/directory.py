"""The embedded server's directory: who may use it, and where its socket lies. Knows no MongoDB."""

import fcntl
import hashlib
import os
import re
import time
from pathlib import Path
from typing import Self

from service.errors import StartError

_MAX_SOCKET_PATH_BYTES = 100
_PLAIN_PATH = re.compile(r"[a-z0-9._/-]+")
"""What the driver takes in a URI as it is: it lowers the case of hosts, socket paths among them."""


class ServerDirectory:
    """The directory `mongodb` below the data directory (mode 0700): database, log, lock, and the socket if it fits."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir.absolute() / "mongodb"
        self.database = self.path / "db"
        self.log = self.path / "mongod.log"
        self.output = self.path / "mongod.out"
        self._lock: int | None = None

    @property
    def lock(self) -> int:
        """The descriptor of the held lock. A child that inherits it holds the lock too, as long as it lives."""
        if self._lock is None:
            raise RuntimeError("the directory is not acquired")
        return self._lock

    def acquire(self, patience_s: float = 3.0) -> Self:
        """Make the directory and lock it; the patience is for a killed predecessor whose server is still going down.

        Raises `StartError` when another process holds it, or the directory cannot be made.
        """
        try:
            self.database.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o700)
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        deadline = time.monotonic() + patience_s
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
                os.close(descriptor)
                raise StartError(
                    f"The data directory {self.path.parent} is in use by another Patchbay (process {holder or '?'}). "
                    "Stop that one, or give this one another PATCHBAY_DATA_DIR."
                )
            time.sleep(0.05)
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        except OSError as error:
            os.close(descriptor)
            raise self._unusable(error) from error
        self._lock = descriptor
        return self

    def _unusable(self, error: OSError) -> StartError:
        return StartError(
            f"The data directory {self.path} cannot be used: {error.strerror}. Mend that, or choose another with "
            "PATCHBAY_DATA_DIR."
        )

    def release(self) -> None:
        """Give the directory free for others."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def socket_home(self) -> Path:
        """Return the directory for the socket: this one, or a short private one where its path does not do."""
        if _does_for_a_socket(self.path):
            return self.path
        name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        home = Path("/tmp") / f"patchbay-{os.getuid()}-{name}"  # noqa: S108 - checked below to be ours alone
        home.mkdir(mode=0o700, exist_ok=True)
        found = home.lstat()
        if found.st_uid != os.getuid() or found.st_mode & 0o170777 != 0o040700:
            raise StartError(
                f"The directory {home} is not private to this account: remove it, or shorten the data path."
            )
        return home


def _does_for_a_socket(path: Path) -> bool:
    socket = str(path / "mongod.sock")
    return len(socket) <= _MAX_SOCKET_PATH_BYTES and _PLAIN_PATH.fullmatch(socket) is not None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
