"""Run in a network namespace of its own by `test_hostile_urls.py`: the whole service against the table of hostile URLs.

Nothing is routed here but loopback, where a trap listens on port 80 of every address. 127.0.0.2 is opened to the
service and redirects to the hostile URLs; whoever comes to the trap by another address was let through the guard.
Writes what happened to `result.json`.
"""

import fcntl
import json
import os
import socket
import socketserver
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.integration.readers.running import compare
from tests.processes import ROOT, ServiceProcess

OPENED = "127.0.0.2"
URLS = json.loads((ROOT / "tests" / "cases" / "hostile-urls.json").read_text())["urls"]
INLINE = {"type": "inline", "value": 1}

sprung: list[str] = []
"""Addresses by which somebody came to the trap."""


class Trap(BaseHTTPRequestHandler):
    """Answers at 127.0.0.2: a document, or a redirect to the hostile URL of the number in the path."""

    def do_GET(self) -> None:
        address = self.request.getsockname()[0]
        if address not in (OPENED, f"::ffff:{OPENED}"):
            sprung.append(address)
        number = self.path.rpartition("/")[2]
        if number.isdigit():
            self.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: " + URLS[int(number)]["url"].encode() + b"\r\n\r\n")
        else:
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"x":1}')

    def log_message(self, *_: Any) -> None:
        """Keep standard error for errors."""


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True


def raise_loopback() -> None:
    """Set the flag UP on the interface `lo`, which a new namespace has down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, request)  # SIOCSIFFLAGS


def outcome(service: str, url: str) -> str:
    """Give the code of the refusal, or `let through`."""
    status, answer = compare(service, {"type": "http", "uri": url}, INLINE)
    return "let through" if status == 200 else str(answer["code"])


def is_a_location(url: str) -> bool:
    """Leave out what a header cannot carry as it is, and what is relative: that leads nowhere new."""
    return "://" in url and url.isprintable() and url == url.strip() and len(url) < 8000


def run(service: str) -> dict[str, Any]:
    plain = [outcome(service, case["url"]) for case in URLS]
    redirected = {
        number: outcome(service, f"http://{OPENED}/{number}")
        for number, case in enumerate(URLS)
        if is_a_location(case["url"])
    }
    return {
        "opened": outcome(service, f"http://{OPENED}/document"),
        "unreachable": outcome(service, "http://93.184.215.14/"),
        "plain": {case["name"]: code for case, code in zip(URLS, plain, strict=True)},
        "redirected": {URLS[number]["name"]: code for number, code in redirected.items()},
        "sprung": list(sprung),
    }


def spring(address: str) -> None:
    """Walk into the trap on purpose, to see that it works."""
    with socket.create_connection((address, 80), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        connection.recv(1000)


def main(folder: Path) -> None:
    raise_loopback()
    settings = {"mongodb_uri": os.environ["PATCHBAY_TEST_MONGODB_URI"], "url_allow": OPENED, "url_timeout_s": 20}
    with Server(("::", 80), Trap) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        service = ServiceProcess(folder, settings)
        try:
            service.wait_until_ready()
            result = run(service.url)
        finally:
            service.end()
        for each in ("127.0.0.1", "::1"):
            spring(each)
        result["sprung_on_purpose"] = sprung[len(result["sprung"]) :]
        server.shutdown()
    (folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
