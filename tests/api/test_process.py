"""The service as a process: how it starts, refuses to start, logs, and stops."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from service import __version__
from service.settings import describe
from service.store.mongod import MongodProcess
from tests.processes import ServiceProcess, Spawn

Connect = Callable[[ServiceProcess], socket.socket]

BODY = b'{"a": {"type": "inline", "value": 1}, "b": {"type": "inline", "value": 2}}'
HEAD = (
    b"POST /api/json/v1/patch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    % len(BODY)
)


@pytest.fixture(name="connect")
def make_connector() -> Iterator[Connect]:
    """Open raw connections, closed with the test."""
    with ExitStack() as opened:
        yield lambda service: opened.enter_context(socket.create_connection(service.address, timeout=30))


def get(service: ServiceProcess, path: str) -> tuple[int, dict[str, Any], http.client.HTTPResponse]:
    connection = http.client.HTTPConnection(*service.address, timeout=30)
    connection.request("GET", path)
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    return response.status, body, response


def send_half(client: socket.socket) -> None:
    """Send a request that the service is then busy reading: all of its head, half of its body."""
    client.sendall(HEAD.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
    assert client.recv(100).startswith(b"HTTP/1.1 100"), "the handler has begun"
    client.sendall(BODY[:20])


def is_refused(service: ServiceProcess) -> bool:
    try:
        socket.create_connection(service.address, timeout=30).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_requests_in_flight_finish_when_it_is_told_to_stop(
    spawn_service: Spawn, connect: Connect, number: signal.Signals
) -> None:
    service = spawn_service()
    client = connect(service)
    send_half(client)

    service.process.send_signal(number)
    service.wait_for(lambda: is_refused(service))
    client.sendall(BODY[20:])
    answer = client.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b'[{"op":"replace","path":"","value":2}]')
    assert service.wait() == 0


def test_idle_connections_do_not_hold_up_the_stop(spawn_service: Spawn, connect: Connect) -> None:
    service = spawn_service(shutdown_grace_s=100, keep_alive_s=100)
    idle = connect(service)
    used = connect(service)
    used.sendall(HEAD + BODY)
    assert used.recv(100_000).startswith(b"HTTP/1.1 200")
    started = time.monotonic()

    assert service.stop() == 0
    assert time.monotonic() - started < 50
    assert idle.recv(1) == used.recv(1) == b""


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
def test_who_waits_for_events_does_not_hold_up_the_stop(spawn_service: Spawn, connect: Connect, accept: str) -> None:
    service = spawn_service(shutdown_grace_s=50)
    client = connect(service)
    client.sendall(f"GET /events?after=latest&wait=60 HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n".encode())
    time.sleep(1)  # until it waits
    started = time.monotonic()

    assert service.stop() == 0
    assert time.monotonic() - started < 40
    answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200")
    assert "did not finish" not in service.errors


def test_a_request_that_never_ends_is_cut_off_after_the_grace(spawn_service: Spawn, connect: Connect) -> None:
    service = spawn_service(shutdown_grace_s=0.5, body_timeout_s=100)
    client = connect(service)
    send_half(client)
    started = time.monotonic()

    assert service.stop() == 0
    assert time.monotonic() - started < 50


def test_an_unknown_variable_stops_the_start(spawn_service: Spawn) -> None:
    service = spawn_service(max_dpeth=5, listens=False)

    assert service.wait() == 2
    assert "PATCHBAY_MAX_DPETH is not a setting" in service.errors
    assert "Traceback" not in service.errors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "http"), ("port", "65536"), ("max_depth", "0"), ("max_body_bytes", "64MB"), ("auth", "maybe"),
        ("log_level", "loud"), ("body_timeout_s", "-1"), ("mongodb_database", "a/b"), ("mongodb_database", "local"),
        ("mongodb_database", "Admin"), ("url_ports", "80,x"),
    ],
)  # fmt: skip
def test_a_bad_value_stops_the_start_by_name(spawn_service: Spawn, name: str, value: str) -> None:
    service = spawn_service(**{name: value}, listens=False)

    assert service.wait() == 2
    assert f"PATCHBAY_{name.upper()} is {value!r}" in service.errors
    assert "Traceback" not in service.errors


def test_a_port_in_use_stops_the_start_with_what_to_do(spawn_service: Spawn) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        service = spawn_service(port=taken.getsockname()[1], listens=False)

        assert service.wait() == 1

    assert "Address already in use" in service.errors
    assert "PATCHBAY_PORT" in service.errors
    assert "Traceback" not in service.errors


def test_nothing_listens_beyond_loopback_without_authentication(spawn_service: Spawn) -> None:
    service = spawn_service(host="0.0.0.0", listens=False)  # noqa: S104 - to be refused

    assert service.wait() == 1
    assert "PATCHBAY_AUTH" in service.errors


def test_a_bad_mongodb_uri_stops_the_start_without_showing_it(spawn_service: Spawn) -> None:
    service = spawn_service(mongodb_uri="mongodb://ann:hush@%zz", listens=False)

    assert service.wait() == 1
    assert "PATCHBAY_MONGODB_URI" in service.errors
    assert "hush" not in service.errors


def test_help_lists_every_setting_with_its_default(spawn_service: Spawn) -> None:
    service = spawn_service(arguments=("--help",), listens=False)

    assert service.wait() == 0
    for variable, default, meaning in describe():
        assert f"{variable} " in service.output
        assert f"{meaning} [{default}]" in service.output


def test_version_is_told_with_the_engine_that_runs(spawn_service: Spawn) -> None:
    service = spawn_service(arguments=("--version",), listens=False, engine="python")

    assert service.wait() == 0
    assert service.output == f"patchbay {__version__}, python diff engine\n"


@pytest.mark.parametrize("arguments", [("openapi",), ("--version",)])
def test_a_command_whose_reader_has_read_enough_ends_quietly(arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    command = [sys.executable, "-m", "service", *arguments]
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60)

    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_an_unknown_command_is_refused(spawn_service: Spawn) -> None:
    service = spawn_service(arguments=("dance",), listens=False)

    assert service.wait() == 2
    assert "dance" in service.errors


def test_it_says_it_is_not_ready_while_the_database_is_away(spawn_service: Spawn, tmp_path: Path) -> None:
    with MongodProcess(tmp_path / "away") as server:
        service = spawn_service(mongodb_uri=server.uri)
        assert get(service, "/readyz")[0] == 200

        server.stop()
        status, problem, response = get(service, "/readyz")

        assert (status, problem["code"]) == (503, "store-unavailable")
        assert response.headers["Retry-After"]
        assert str(tmp_path) not in json.dumps(problem)
        assert get(service, "/healthz")[0] == 200
        request = Request(f"{service.url}/api/json/v1/patch", BODY, {"Content-Type": "application/json"})  # noqa: S310
        with urlopen(request, timeout=30) as compared:  # noqa: S310 - our own service
            assert compared.status == 200

        server.start()
        server.wait_until_primary()
        service.wait_for(lambda: get(service, "/readyz")[0] == 200)
        assert service.stop() == 0


def test_the_log_is_one_json_line_per_request_without_documents(spawn_service: Spawn) -> None:
    service = spawn_service()
    secret = b'{"a": {"type": "inline", "value": "hush-1"}, "b": {"type": "inline", "value": "hush-2"}}'
    headers = {"Content-Type": "application/json", "X-Request-Id": "log-1", "X-API-Key": "hush-3"}
    with urlopen(Request(f"{service.url}/api/json/v1/patch", secret, headers), timeout=30):  # noqa: S310
        pass

    service.stop()

    (line,) = [line for line in service.log() if line.get("requestId") == "log-1"]
    assert (line["method"], line["path"], line["status"]) == ("POST", "/api/json/v1/patch", 200)
    assert line["level"] == "info"
    assert line["ms"] >= 0
    assert "hush" not in service.errors


def test_a_malformed_request_is_logged_without_its_content(spawn_service: Spawn, connect: Connect) -> None:
    service = spawn_service()
    client = connect(service)
    client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer hush\x01\r\n\r\n")
    assert client.recv(100).startswith(b"HTTP/1.0 400")

    service.stop()

    assert [line["message"] for line in service.log() if line["logger"] == "aiohttp.server"] == [
        "malformed request refused: BadHttpMessage"
    ]
    assert "hush" not in service.errors


def test_clients_that_hang_up_half_way_are_logged_as_gone(spawn_service: Spawn, connect: Connect) -> None:
    service = spawn_service()
    for _ in range(3):
        client = connect(service)
        send_half(client)
        client.close()

    service.wait_for(lambda: sum(line.get("status") == 499 for line in service.log()) == 3)

    assert get(service, "/healthz")[0] == 200
    assert not [line for line in service.log() if line["level"] == "error"]
