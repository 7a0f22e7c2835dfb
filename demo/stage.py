"""What a scene acts on: it sends requests to the running service, shows both sides, and says what must hold."""

import http.client
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from demo.screen import Screen

_SHOWN_HEADERS = ("Content-Type", "Location", "ETag", "Patchbay-Diff", "Link", "Retry-After", "Allow")
_TIMEOUT_S = 60


class ExpectationError(Exception):
    """Something did not come out as it should."""


@dataclass(frozen=True)
class Answer:
    """What the service answered."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def expect(self, status: int) -> "Answer":
        """Go on only with this status."""
        if self.status != status:
            raise ExpectationError(f"{status} was expected, and {self.status} came")
        return self


class Stage:
    """Sends requests and shows them with their answers. Paths are of the running service."""

    def __init__(self, url: str, screen: Screen) -> None:
        self.url = url
        self._screen = screen

    def at(self, url: str) -> "Stage":
        """Give a stage before another service, on the same screen."""
        return Stage(url, self._screen)

    def say(self, text: str) -> None:
        """Explain what comes."""
        self._screen.say(text)

    def check(self, claim: str, *, holds: bool) -> None:
        """Say that a claim holds; end the scene where it does not."""
        if not holds:
            raise ExpectationError(claim)
        self._screen.success(claim)

    def progress(self, done: int, total: int, rate: float) -> None:
        """Show how far something has come."""
        self._screen.progress(done, total, rate)

    def send(self, method: str, path: str, value: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """Send a request, with `value` as its JSON body unless it is None."""
        content = None if value is None else json.dumps(value, ensure_ascii=False).encode()
        kind = {} if value is None else {"Content-Type": "application/json"}
        shown = (content or b"").decode()
        return self._send(method, path, content, {**kind, **(headers or {})}, shown)

    def upload(self, path: str, parts: Mapping[str, Path | str], headers: dict[str, str] | None = None) -> Answer:
        """Send a form: files as uploads, text as it is."""
        boundary = uuid.uuid4().hex
        content = b"".join(_part(boundary, name, part) for name, part in parts.items()) + f"--{boundary}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        shown = "\n".join(f"{name}={_shown(part)}" for name, part in parts.items())
        return self._send("POST", path, content, {**kind, **(headers or {})}, shown)

    def _send(self, method: str, path: str, content: bytes | None, headers: dict[str, str], shown: str) -> Answer:
        seen = {name: value.partition("; boundary")[0] for name, value in headers.items()}
        self._screen.request(f"{method} {path}", seen, shown)
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
        try:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
        told = {name: answer.headers[name] for name in _SHOWN_HEADERS if answer.headers[name]}
        self._screen.answer(f"{response.status} {response.reason}", told, answer.body.decode())
        return answer


def _part(boundary: str, name: str, part: Path | str) -> bytes:
    file_name = f'; filename="{part.name}"' if isinstance(part, Path) else ""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file_name}\r\n\r\n'
    content = part.read_bytes() if isinstance(part, Path) else part.encode()
    return head.encode() + content + b"\r\n"


def _shown(part: Path | str) -> str:
    return f"@{part.name} ({part.stat().st_size:,} bytes)" if isinstance(part, Path) else part
