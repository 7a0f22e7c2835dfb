"""`python -m service` on a terminal's odd days: output that is closed or full, Ctrl+C, names that are none."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from service.commands.listening import greet
from service.settings import Settings
from tests.processes import Spawn

ROOT = Path(__file__).parents[2]
STARTS = 'exec "$0" -m service'


@pytest.fixture(name="environment")
def make_environment(settings: Settings) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PATCHBAY_")}
    return {
        **inherited,
        "PATCHBAY_PORT": "0",
        "PATCHBAY_MONGODB_URI": settings.mongodb_uri or "",
        "PATCHBAY_MONGODB_DATABASE": settings.mongodb_database,
    }


def run(line: str, environment: dict[str, str], **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell, in which `$0` is Python."""
    return subprocess.run(
        ["bash", "-c", line, sys.executable],
        cwd=ROOT,
        env={**environment, **extra},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", ["--version", "openapi", "keys list", "check"])
@pytest.mark.parametrize(
    ("output", "told"),
    [
        pytest.param(">&-", "standard output is closed", id="closed"),
        pytest.param("> /dev/full", "No space left on device", id="full"),
    ],
)
def test_output_that_takes_nothing_is_told(command: str, output: str, told: str, environment: dict[str, str]) -> None:
    done = run(f"{STARTS} {command} {output}", environment)

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("patchbay: ")
    assert told in line


def test_a_key_that_could_not_be_shown_opens_nothing(environment: dict[str, str]) -> None:
    done = run(f"{STARTS} keys create --name unseen --role reader > /dev/full", environment)

    assert done.returncode == 1
    assert re.search(r" unseen .* revoked ", run(f"{STARTS} keys list", environment).stdout)


@pytest.mark.parametrize("output", [">&-", "<&- >&-", "> /dev/full", "> >(true)"])
def test_the_service_serves_where_nobody_reads_its_greeting(output: str, environment: dict[str, str]) -> None:
    alive, code, errors = try_out(["bash", "-c", f"{STARTS} {output}", sys.executable], environment)

    assert alive, errors
    assert code == 0, errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("auth", ["none", "keys"])
def test_what_the_greeting_says_to_try_works(auth: str, spawn_service: Spawn, environment: dict[str, str]) -> None:
    service = spawn_service(auth=auth)
    request = re.search(r"Try:   (.*?)\n +curl", service.output, re.DOTALL)
    make_key = re.search(r"Key:   patchbay (.*)", service.output)

    assert (make_key is not None) == (auth == "keys")
    key = run(f"{STARTS} {make_key[1]}", environment).stdout.split()[0] if make_key else ""
    assert request is not None
    tried = run(request[1].replace("…", key), environment)
    assert json.loads(tried.stdout) == [{"op": "replace", "path": "/x", "value": 2}], tried


def test_who_listens_everywhere_is_reached_near_by(capsys: pytest.CaptureFixture[str], settings: Settings) -> None:
    with socket.socket() as bound:
        bound.bind(("0.0.0.0", 0))  # noqa: S104 - nobody listens
        port = bound.getsockname()[1]
        greet(bound, "7.0", settings)

    told = capsys.readouterr().out
    assert f"listens on http://0.0.0.0:{port} " in told
    assert f"curl http://127.0.0.1:{port}/api" in told


def test_workers_are_of_the_same_package_wherever_they_are_started(environment: dict[str, str], tmp_path: Path) -> None:
    """As the command `patchbay`, in a folder with a package `service` of somebody else."""
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "__init__.py").write_text("raise SystemExit('somebody else')")
    command = f"import sys; sys.path[0] = {str(ROOT)!r}; from service.__main__ import main; sys.exit(main([]))"
    alive, _, errors = try_out(
        [sys.executable, "-c", command], {**environment, "PATCHBAY_WORKERS": "2"}, folder=tmp_path
    )

    assert alive, errors
    assert "somebody else" not in errors


def try_out(command: list[str], environment: dict[str, str], folder: Path = ROOT) -> tuple[bool, int, str]:
    """Start a service and stop it; return whether it served, how it ended and what it wrote to standard error."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**environment, "PATCHBAY_PORT": str(port)}
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    alive = is_served(port, process)
    process.terminate()
    _, errors = process.communicate(timeout=60)
    return alive, process.returncode, errors


def is_served(port: int, process: subprocess.Popen[str]) -> bool:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_command_that_is_stopped_says_so_and_leaves_nothing(
    number: signal.Signals, environment: dict[str, str], tmp_path: Path
) -> None:
    """It is stopped while it waits for a database that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"mongodb://127.0.0.1:{silent.getsockname()[1]}/"
        process = subprocess.Popen(
            ["env", "--default-signal=INT", sys.executable, "-m", "service", "backup", str(tmp_path / "copy.gz")],
            cwd=ROOT,
            env={**environment, "PATCHBAY_MONGODB_URI": uri},
            stderr=subprocess.PIPE,
            text=True,
        )
        with silent.accept()[0]:
            process.send_signal(number)
            _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (130, "patchbay: stopped before the end.\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["backup copy.gz", "check", "keys list", "keys revoke 0011223344556677"])
def test_a_command_in_another_folder_than_the_service_says_so(
    command: str, environment: dict[str, str], tmp_path: Path
) -> None:
    """It would copy, look over, or find nothing in a database that it made itself."""
    line = f"cd {tmp_path} && {STARTS} {command}"

    done = run(line, environment, PATCHBAY_MONGODB_URI="", PYTHONPATH=str(ROOT))

    assert (done.returncode, done.stdout) == (1, "")
    assert f"There is no database in {tmp_path}/.patchbay: give PATCHBAY_DATA_DIR" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_another_spelling_names_is_told(environment: dict[str, str]) -> None:
    line = f"{STARTS} keys create --name ann --role reader"
    made = run(line, environment)

    other = run(line, environment, PATCHBAY_MONGODB_DATABASE=environment["PATCHBAY_MONGODB_DATABASE"].swapcase())

    assert (made.returncode, other.returncode) == (0, 1)
    assert "PATCHBAY_MONGODB_DATABASE" in other.stderr


def test_text_that_the_terminal_cannot_show_is_written_as_escapes(environment: dict[str, str]) -> None:
    made = run(f"{STARTS} keys create --name 'Zoë' --role reader", environment, PYTHONIOENCODING="ascii")
    listed = run(f"{STARTS} keys list", environment, PYTHONIOENCODING="ascii")

    assert (made.returncode, listed.returncode) == (0, 0)
    assert r"Zo\xeb" in listed.stdout


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PATCHBAY_HOST", "a..b"),
        ("PATCHBAY_HOST", "\udcff"),
        ("PATCHBAY_DATA_DIR", "/dev/null"),
        ("PATCHBAY_FILES_ROOT", "/dev/null"),
        ("PATCHBAY_FILES_ROOT", "x" * 300),
        ("PATCHBAY_OTLP_ENDPOINT", "collector:4318"),
        ("PATCHBAY_OTLP_ENDPOINT", "http://collector:port"),
        ("PATCHBAY_OTLP_ENDPOINT", "http://["),
        ("PATCHBAY_OTLP_ENDPOINT", "http:// collector"),
        ("PATCHBAY_OTLP_ENDPOINT", "http://collector/path?key=x"),
        ("PATCHBAY_MONGODB_URI", "mongodb://127.0.0.1:1/?tls=true&tlsCAFile=/no/such/file"),
        ("PATCHBAY_MONGODB_URI", "mongodb://127.0.0.1:1/?tls=yes"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(variable: str, value: str, environment: dict[str, str]) -> None:
    if variable == "PATCHBAY_DATA_DIR":
        environment = {**environment, "PATCHBAY_MONGODB_URI": ""}

    done = run(f"{STARTS}", environment, **{variable: value})

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert variable in line


def test_an_option_of_the_uri_that_nobody_knows_is_a_line_of_the_log(settings: Settings, spawn_service: Spawn) -> None:
    service = spawn_service(mongodb_uri=f"{settings.mongodb_uri}&nosuch=1")

    assert [line["level"] for line in service.log() if "Unknown option: nosuch" in line["message"]] == ["warning"]
