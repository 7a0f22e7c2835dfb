"""`python -m service` as a process: started on a free port, spoken to by its printed URL, ended by its id."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[1]
_PATIENCE_S = 60.0
_URL = re.compile(r"listens on (http://\S+)")


class ServiceProcess:
    """One service process. `settings` are variables without their prefix, in small letters.

    `under` is a command that becomes the one it is given, such as `("nice",)`.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, object],
        arguments: tuple[str, ...] = (),
        under: tuple[str, ...] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._out, self._err = folder / "stdout", folder / "stderr"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PATCHBAY_")}
        given = {f"PATCHBAY_{name.upper()}": str(value) for name, value in settings.items()}
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [*under, sys.executable, "-m", "service", *arguments],
                cwd=ROOT,
                env={**inherited, "PATCHBAY_PORT": "0", **given},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def url(self) -> str:
        """Where it listens, as it printed it."""
        found = _URL.search(self.output)
        assert found, f"it does not listen: {self.output}{self.errors}"
        return found[1]

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, for raw sockets."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 0

    @property
    def output(self) -> str:
        """What it has written to standard output."""
        return self._out.read_text()

    @property
    def errors(self) -> str:
        """What it has written to standard error: the log."""
        return self._err.read_text()

    def log(self) -> list[dict[str, Any]]:
        """The lines of the log that are complete."""
        return [json.loads(line) for line in self.errors.splitlines(keepends=True) if line.endswith("\n")]

    def wait_until_ready(self) -> None:
        """Wait until it listens; fail when it ends before."""
        self.wait_for(lambda: _URL.search(self.output) is not None)

    def wait_for(self, condition: Callable[[], bool], patience_s: float = _PATIENCE_S) -> None:
        """Wait until the condition holds while the process lives."""
        deadline = time.monotonic() + patience_s
        while not condition():
            assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.errors}"
            assert time.monotonic() < deadline, f"waited {patience_s:g} s in vain: {self.output}{self.errors}"
            time.sleep(0.02)

    def wait(self, patience_s: float = _PATIENCE_S) -> int:
        """Wait until it ends; return its exit code."""
        return self.process.wait(patience_s)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it with a signal, if it still runs; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def end(self) -> None:
        """See that it is gone, whatever state it is in."""
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait()


Spawn = Callable[..., ServiceProcess]
"""`spawn(max_depth=5)` starts a service and waits until it listens; see the fixture `spawn_service`."""


def is_alive(pid: int) -> bool:
    """Whether there is a process of that id that has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # it went before the file was opened, or before it was read
        return False
