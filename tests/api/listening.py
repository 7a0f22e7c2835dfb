"""A provider in a thread of its own: it answers each event as it was told to, and remembers what it was sent."""

import base64
import contextlib
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

Answer = int | str
"""A status, or `close`: hang up without one; or `late`: take it after a while."""

GONE = 410
_LATE_S = 0.4


class Key(NamedTuple):
    """What an event is about."""

    patch_id: str
    target_id: str
    attempt: int


@dataclass(frozen=True)
class Taken:
    """An event as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> dict[str, Any]:
        is_whole = self.headers["content-type"].startswith("application/cloudevents+json")
        document = json.loads(self.body)
        return dict(document["data"] if is_whole else document)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def key(self) -> Key:
        data = self.data
        return Key(data["patch"]["definition"]["patch_id"], data["target"]["id"], data["attempt"])

    def is_signed_with(self, secret: str) -> bool:
        """Whether one of its signatures was made with the secret (Standard Webhooks, by the letter)."""
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        digest = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256)
        return f"v1,{base64.b64encode(digest).decode()}" in self.headers["webhook-signature"].split()


class Listener:
    """What the provider was sent, and what it answers; 202 where nothing else is said."""

    def __init__(self) -> None:
        self.answers: dict[Key, Answer] = {}
        self.taken: dict[Key, list[Taken]] = {}
        self.busy: set[Key] = set()
        self.doubled: list[Key] = []
        """What came while it was being taken already."""
        self.port = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def begin(self, taken: Taken) -> Answer:
        with self._lock:
            self.doubled += [taken.key] if taken.key in self.busy else []
            self.busy.add(taken.key)
            self.taken.setdefault(taken.key, []).append(taken)
            return self.answers.get(taken.key, 202)

    def end(self, taken: Taken) -> None:
        with self._lock:
            self.busy.discard(taken.key)


@contextlib.contextmanager
def listening() -> Iterator[Listener]:
    """Let a provider listen on loopback."""
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            taken = Taken(headers, self.rfile.read(int(headers["content-length"])))
            answer = listener.begin(taken)
            if answer == "late":
                time.sleep(_LATE_S)
            listener.end(taken)
            if answer == "close":
                self.close_connection = True
                return
            self.send_response(202 if answer == "late" else int(answer))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        listener.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield listener
        server.shutdown()
        thread.join()
