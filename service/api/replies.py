"""Answers that are not problems: JSON bodies, and the choice between media types that `Accept` makes."""

import re
from typing import Any

import msgspec
from aiohttp import web

from service.errors import NotAcceptableError

JSON = "application/json"
_QUALITY = re.compile(r"q=([01](?:\.\d{0,3})?)", re.IGNORECASE)


def encode(value: Any) -> bytes:
    """Encode a value or Struct as UTF-8 JSON."""
    return msgspec.json.encode(value)


def json_reply(
    value: Any, *, status: int = 200, headers: dict[str, str] | None = None, content_type: str = JSON
) -> web.Response:
    """Answer with a value as JSON, or with `bytes` that are JSON already."""
    body = value if isinstance(value, bytes) else encode(value)
    return web.Response(body=body, status=status, headers=headers, content_type=content_type)


def choose(request: web.Request, offers: tuple[str, ...]) -> str:
    """Return the offer that `Accept` likes best (RFC 9110, section 12.5.1); the first one when it does not care.

    Raises `NotAcceptableError` that lists the offers.
    """
    if "Accept" not in request.headers:
        return offers[0]
    header = ",".join(request.headers.getall("Accept"))
    if not header.strip():
        return offers[0]
    ranges = [_range(part) for part in header.split(",") if part.strip()]
    best = max(offers, key=lambda offer: _quality(offer, ranges))
    if _quality(best, ranges) <= 0:
        raise NotAcceptableError(f"None of what Accept asks for can be produced; these can: {', '.join(offers)}.")
    return best


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
