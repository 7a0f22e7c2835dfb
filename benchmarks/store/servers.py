"""How each server under test is started on a port of its own, and ended."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from service.store.mongod import MongodProcess

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PEERS = HERE / ".peers"


@contextlib.contextmanager
def patchbay() -> Iterator[int]:
    """The service with its own MongoDB, as `make run` starts it."""
    port = free_port()
    with TemporaryDirectory() as folder:
        settings = {"PATCHBAY_PORT": str(port), "PATCHBAY_DATA_DIR": folder, "PATCHBAY_LOG_LEVEL": "warning"}
        with process([sys.executable, "-m", "service"], {**os.environ, **settings}, port):
            yield port


@contextlib.contextmanager
def plain() -> Iterator[int]:
    port = free_port()
    with database() as uri, process([sys.executable, str(HERE / "plain.py"), uri, str(port)], {**os.environ}, port):
        yield port


@contextlib.contextmanager
def eve() -> Iterator[int]:
    port = free_port()
    command = [str(eve_environment() / "bin" / "gunicorn"), "--workers", "2", "--threads", "8"]
    command += ["--keep-alive", "30", "--bind", f"127.0.0.1:{port}", "--chdir", str(HERE), "eve_app:application"]
    with database() as uri, process(command, {**os.environ, "BENCH_MONGO_URI": uri}, port):
        yield port


def eve_environment() -> Path:
    """Make the environment once; eve needs another flask and pymongo than we have."""
    if not PEERS.exists():
        venv.create(PEERS, with_pip=True)
        install = ["-m", "pip", "install", "--quiet", "-r", str(HERE / "requirements.txt")]
        subprocess.run([PEERS / "bin" / "python", *install], check=True)
    return PEERS


@contextlib.contextmanager
def database() -> Iterator[str]:
    """A MongoDB as the service's own: same binary, same settings."""
    with TemporaryDirectory() as folder, MongodProcess(Path(folder)) as server:
        yield server.uri


@contextlib.contextmanager
def process(command: list[str], environment: dict[str, str], port: int) -> Iterator[None]:
    running = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not is_listening(port):
            if running.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not listen")
            time.sleep(0.05)
        yield
    finally:
        running.terminate()
        running.wait()


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
