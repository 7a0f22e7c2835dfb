"""`If-Match` and `If-None-Match` (RFC 9110, sections 13.1.1 and 13.1.2); the tags are versions in quotes."""

import re

from aiohttp import web

from service.core.conditions import NO_CONDITIONS, Conditions, Tags
from service.errors import InvalidRequestError

_TAG = re.compile(r'\s*(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\U0010ffff]*)"\s*(?:,|$)|\s*,')
_VERSION = re.compile(r"[1-9][0-9]{0,17}")
_MAX_LENGTH = 4096


def read_conditions(request: web.Request) -> Conditions:
    """Read both headers; raise `InvalidRequestError` for one that is malformed."""
    if "If-Match" not in request.headers and "If-None-Match" not in request.headers:
        return NO_CONDITIONS
    return Conditions(
        if_match=_read(request, "If-Match", weak_too=False),
        if_none_match=_read(request, "If-None-Match", weak_too=True),
    )


def format_tag(version: int) -> str:
    """Write a version as an entity tag."""
    return f'"{version}"'


def _read(request: web.Request, name: str, *, weak_too: bool) -> Tags | None:
    """Read a list of tags. A weak tag never matches where the comparison is strong (section 8.8.3.2)."""
    if name not in request.headers:
        return None
    text = ",".join(request.headers.getall(name)).strip()
    if text == "*":
        return Tags(any=True)
    versions: set[int] = set()
    at = 0
    while at < len(text):
        match = _TAG.match(text, at) if len(text) <= _MAX_LENGTH else None
        if match is None:
            raise InvalidRequestError(f'{name} takes * or a list of entity tags like "3", in quotes.', field=name)
        opaque = match["opaque"] or ""
        if _VERSION.fullmatch(opaque) and (weak_too or not match["weak"]):
            versions.add(int(opaque))
        at = match.end()
    return Tags(versions=frozenset(versions))
