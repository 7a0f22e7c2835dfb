"""What servers answered before with an ETag, so that the same URL is not sent twice. Bounded; asks again every time."""

import re
from collections import OrderedDict

import msgspec
from multidict import CIMultiDict, CIMultiDictProxy

from service.readers.client import Exchange

OVERHEAD_BYTES = 2048
"""What an answer takes beside its text."""

_TAG = re.compile(r'(?:W/)?"[!#-~]{0,1000}"')
_KEPT_HEADERS = ("ETag", "Content-Type")
_STRANGERS = {"*", "cookie", "authorization"}


class Revalidation:
    """The newest answers by URL; all together take at most `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._kept: OrderedDict[str, Exchange] = OrderedDict()

    def find(self, url: str) -> Exchange | None:
        """Return the answer that was kept for the URL; it is good if the server says 304 to its ETag."""
        if url in self._kept:
            self._kept.move_to_end(url)
        return self._kept.get(url)

    def keep(self, url: str, exchange: Exchange) -> None:
        """Keep an answer that may be kept and fits, in place of those used longest ago."""
        self._forget(url)
        lean = _lean(exchange)
        if not _may_be_kept(exchange) or _size(url, lean) > self._max_bytes:
            return
        self._kept[url] = lean
        self._size += _size(url, lean)
        while self._size > self._max_bytes:
            self._forget(next(iter(self._kept)))

    def _forget(self, url: str) -> None:
        if exchange := self._kept.pop(url, None):
            self._size -= _size(url, exchange)


def _lean(exchange: Exchange) -> Exchange:
    """Leave out the headers that nobody asks for again."""
    headers = CIMultiDict((name, exchange.headers[name]) for name in _KEPT_HEADERS if name in exchange.headers)
    return msgspec.structs.replace(exchange, headers=CIMultiDictProxy(headers))


def _size(url: str, exchange: Exchange) -> int:
    headers = sum(map(len, exchange.headers.values()))
    return len(exchange.content) + len(url) + len(exchange.target.tail) + headers + OVERHEAD_BYTES


def _may_be_kept(exchange: Exchange) -> bool:
    """Only a direct answer with an entity tag that is the same for everybody (RFC 9111, section 3)."""
    headers = exchange.headers
    varies = {name.strip().lower() for name in headers.get("Vary", "").split(",")}
    return (
        exchange.status == 200
        and exchange.redirects == 0
        and _TAG.fullmatch(headers.get("ETag", "")) is not None
        and "no-store" not in headers.get("Cache-Control", "").lower()
        and varies.isdisjoint(_STRANGERS)
    )
