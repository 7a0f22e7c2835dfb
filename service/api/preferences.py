"""What a client would like (RFC 7240): `Prefer: return=minimal` or `return=representation`, and `merge`."""

import re
from collections.abc import Iterator

from aiohttp import web

_PREFERENCE = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,;"]*)))?[^,]*')


def prefers_minimal(request: web.Request) -> bool:
    """Say whether the answer is to be without a body; of two spellings the first counts, others are ignored."""
    return next((value == "minimal" for name, value in _preferences(request) if name == "return"), False)


def prefers_merge(request: web.Request) -> bool:
    """Say whether a change made for an earlier version is to be merged with what came since (`Prefer: merge`)."""
    return any(name == "merge" for name, _ in _preferences(request))


def _preferences(request: web.Request) -> Iterator[tuple[str, str]]:
    if "Prefer" not in request.headers:
        return
    text = ",".join(request.headers.getall("Prefer"))
    for name, quoted, plain in _PREFERENCE.findall(text):
        yield name.lower(), (quoted or plain).lower()
