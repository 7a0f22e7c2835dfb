"""Answers that are not problems: JSON bodies, and the choice between media types that `Accept` makes."""

import re
from functools import lru_cache
from typing import Any

import msgspec
from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.web_request import BaseRequest

from service.errors import NotAcceptableError
from service.keys import REQUEST_ID

JSON = "application/json"
SECURITY_HEADERS = {
    "Server": "patchbay",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_SMALL_BYTES = 64 * 1024
_HARDENED = "".join(f"{name}: {value}\r\n" for name, value in SECURITY_HEADERS.items())
_QUALITY = re.compile(r"(?:^|;)\s*q=([01](?:\.\d{0,3})?)", re.IGNORECASE)


class Reply(web.Response):
    """An answer whose body is at hand, written in one piece: aiohttp's own way looks for what this one never does.

    Only what is most common goes this way: no large body, no HEAD, no HTTP/1.0, no connection that is to end.
    """

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """Send head and body, with what `harden` would add; `write_eof` then finds nothing left to do."""
        body = self.body
        if (
            self.prepared
            or not isinstance(body, bytes)
            or len(body) > _SMALL_BYTES
            or self.keep_alive is False
            or not request.keep_alive
            or request.version != HttpVersion11
            or request.method == "HEAD"
        ):
            return await super().prepare(request)
        own = "".join([f"{name}: {value}\r\n" for name, value in self.headers.items()])
        if own.count("\r") != len(self.headers) or own.count("\n") != len(self.headers):
            return await super().prepare(request)  # which refuses a header of several lines
        writer = request.writer
        await writer.write(
            f"HTTP/1.1 {self.status} {self.reason}\r\n{own}{_HARDENED}X-Request-Id: {request.get(REQUEST_ID, '')}\r\n"
            f"Content-Length: {len(body)}\r\nDate: {rfc822_formatted_time()}\r\n\r\n".encode()
            + body
        )
        await writer.write_eof()
        self._keep_alive = self._eof_sent = True
        return writer


def harden(request: BaseRequest, response: web.StreamResponse) -> None:
    """Add the request's id, and the headers that keep browsers from doing more with an answer than showing it."""
    headers = response.headers
    if "Content-Security-Policy" in headers:  # a page has its own
        headers.update({name: value for name, value in SECURITY_HEADERS.items() if name != "Content-Security-Policy"})
    else:
        headers.update(SECURITY_HEADERS)
    headers["X-Request-Id"] = request.get(REQUEST_ID, "")


def encode(value: Any) -> bytes:
    """Encode a value or Struct as UTF-8 JSON."""
    return msgspec.json.encode(value)


def json_reply(
    value: Any, *, status: int = 200, headers: dict[str, str] | None = None, content_type: str = JSON
) -> Reply:
    """Answer with a value as JSON, or with `bytes` that are JSON already."""
    body = value if isinstance(value, bytes) else encode(value)
    return Reply(body=body, status=status, headers=headers, content_type=content_type)


def choose(request: web.Request, offers: tuple[str, ...]) -> str:
    """Return the offer that `Accept` likes best (RFC 9110, section 12.5.1); the first one when it does not care.

    Raises `NotAcceptableError` that lists the offers.
    """
    if "Accept" not in request.headers:
        return offers[0]
    best = _best(",".join(request.headers.getall("Accept")), offers)
    if best is None:
        raise NotAcceptableError(f"None of what Accept asks for can be produced; these can: {', '.join(offers)}.")
    return best


@lru_cache(maxsize=256)
def _best(header: str, offers: tuple[str, ...]) -> str | None:
    """Return the offer that the header likes best, None when it takes none. Each client sends the same one always."""
    if not header.strip():
        return offers[0]
    ranges = [_range(part) for part in header.split(",") if part.strip()]
    best = max(offers, key=lambda offer: _quality(offer, ranges))
    return best if _quality(best, ranges) > 0 else None


def _range(text: str) -> tuple[str, float]:
    name, _, rest = text.partition(";")
    quality = _QUALITY.search(rest)
    return name.strip().lower(), float(quality[1]) if quality else 1.0


def _quality(offer: str, ranges: list[tuple[str, float]]) -> float:
    """Return the quality that the most specific matching range gives to the offer; 0 when none matches."""
    matching = [
        (specificity, quality)
        for name, quality in ranges
        for specificity, pattern in enumerate(("*/*", offer.split("/", maxsplit=1)[0] + "/*", offer))
        if name == pattern
    ]
    return max(matching)[1] if matching else 0.0
