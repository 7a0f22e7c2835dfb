"""A service of the demonstration's own: on a free port, with a data directory that goes with it."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_PATIENCE_S = 60.0
_URL = re.compile(r"listens on (http://\S+)")
ROOT = Path(__file__).parents[1]


class StartFailedError(Exception):
    """The service ended, or said nothing for too long; the message is what it wrote."""


class RunningService:
    """`with RunningService(folder) as service:` runs one at `service.url`. `settings` are `PATCHBAY_*` variables."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        """Start the service and wait until it listens."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PATCHBAY_")}
        given = {"PATCHBAY_PORT": "0", "PATCHBAY_DATA_DIR": str(self._folder / "data"), **self._settings}
        with (self._folder / "stdout").open("wb") as out, (self._folder / "stderr").open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "service"], cwd=ROOT, env={**inherited, **given}, stdout=out, stderr=err
            )
        try:
            self.url = self._wait_for_url()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the service."""
        self._stop()

    def _wait_for_url(self) -> str:
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            if found := _URL.search((self._folder / "stdout").read_text()):
                return found[1]
            if self._process is None or self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise StartFailedError((self._folder / "stderr").read_text().strip() or "it says nothing")

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
