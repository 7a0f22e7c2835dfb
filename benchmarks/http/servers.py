"""The services under test, each on a port of its own, ended and started anew where it has taken too long."""

import json
import socket
import subprocess
import sys
import tempfile
import time
import venv
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from demo.running import RunningService

HERE = Path(__file__).parent
PEERS = HERE / ".peers"
FASTIFY = HERE / "fastify"
PATIENCE_S = 20.0


class GaveUpError(Exception):
    """A service did not answer in time, or with an error of its own; the message says which."""


class Server:
    """A service with a route that answers the patch between two documents."""

    name = path = ""
    port = 0

    def start(self):
        """Start it, and wait until it listens at `port`."""
        raise NotImplementedError

    def stop(self):
        """End it."""
        raise NotImplementedError

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def body(self, before, after):
        """Write the request."""
        return to_text({"a": before, "b": after})

    def connect(self):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.connect()
        return connection

    def ask(self, connection, body):
        """Send a request; return the seconds it took and the answer. Raises `GaveUpError`."""
        start = time.perf_counter()
        try:
            connection.request("POST", self.path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
        except TimeoutError as error:
            connection.close()
            raise GaveUpError(f"over {PATIENCE_S:g} s") from error
        if response.status >= 500:
            raise GaveUpError(f"answers {response.status}")
        if response.status != 200:
            raise RuntimeError(f"{self.name} answers {response.status}: {answer[:500]}")
        return time.perf_counter() - start, answer


class Patchbay(Server):
    name, path = "Patchbay", "/api/json/v1/patch"

    def start(self):
        self._folder = tempfile.TemporaryDirectory()
        self._service = RunningService(Path(self._folder.name), PATCHBAY_LOG_LEVEL="error")
        self._service.__enter__()
        self.port = urlsplit(self._service.url).port or 0

    def stop(self):
        self._service.__exit__(None, None, None)
        self._folder.cleanup()

    def body(self, before, after):
        return to_text({side: {"type": "inline", "value": value} for side, value in (("a", before), ("b", after))})


class Peer(Server):
    path = "/patch"

    def command(self):
        raise NotImplementedError

    def start(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process = subprocess.Popen(self.command(), cwd=HERE, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not listen")
            time.sleep(0.05)

    def stop(self):
        self._process.kill()  # one that computes for minutes does not listen to anything else
        self._process.wait()


class FastApi(Peer):
    name = "FastAPI + jsonpatch"

    def command(self):
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--log-level", "error", "--no-access-log"]
        return [PEERS / "bin" / "python", "-m", "uvicorn", "fastapi_app:app", *options]


class Fastify(Peer):
    name = "Fastify + rfc6902"

    def command(self):
        return ["node", "--max-old-space-size=4096", "fastify/app.mjs", str(self.port)]


def install():
    """Make the environments of the peers, once."""
    if not (PEERS / "bin" / "uvicorn").exists():
        venv.create(PEERS, with_pip=True)
        quiet = ["--quiet", "--disable-pip-version-check"]
        subprocess.run(
            [PEERS / "bin" / "python", "-m", "pip", "install", *quiet, "-r", "requirements.txt"], cwd=HERE, check=True
        )
    if not (FASTIFY / "node_modules" / "fastify").exists():
        subprocess.run(["npm", "ci", "--silent"], cwd=FASTIFY, check=True)


def versions():
    """Say what was measured."""
    own = f"Python {sys.version.split()[0]}"
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    packages = json.loads((FASTIFY / "package.json").read_text())["dependencies"]
    pinned = [
        line.replace("==", " ").replace("[standard]", "") for line in (HERE / "requirements.txt").read_text().split()
    ]
    return [own, *pinned, f"Node {node[1:]}", *(f"{name} {version}" for name, version in packages.items())]


def to_text(value):
    return json.dumps(value, separators=(",", ":")).encode()
