"""What a client would like (RFC 7240): `Prefer: return=minimal` or `return=representation`."""

import re

from aiohttp import web

_PREFERENCE = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,;"]*)))?[^,]*')


def prefers_minimal(request: web.Request) -> bool:
    """Say whether the answer is to be without a body; of two spellings the first counts, others are ignored."""
    text = ",".join(request.headers.getall("Prefer", []))
    for name, quoted, plain in _PREFERENCE.findall(text):
        if name.lower() == "return":
            return bool((quoted or plain).lower() == "minimal")
    return False
