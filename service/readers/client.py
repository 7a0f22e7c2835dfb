"""The one way out: HTTP requests on behalf of others, each connection to an address that the guard has passed.

Every hop looks its host up once, has all its addresses judged, and gets a connector of its own that knows no others.
Nothing is shared between hops: no connection, no cookie, no proxy, no name cache.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urljoin

import aiohttp
import msgspec
import yarl
from multidict import CIMultiDictProxy

from service.core.inflate import BrokenEncodingError, Inflater
from service.errors import SourceForbiddenError, SourceUnreachableError, UnsupportedMediaTypeError
from service.readers.address import Address
from service.readers.budget import too_large, too_slow
from service.readers.guard import Guard, Target
from service.readers.pinning import CONNECT_TIMEOUT_S, open_session
from service.readers.resolver import Resolver, SystemResolver

MAX_REDIRECTS = 5
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_REDIRECTS = {301, 302, 303, 307, 308}


class Exchange(msgspec.Struct, frozen=True):
    """An answer. `content` is its body, decompressed, where the status is a success; the body of others is not read.

    `target` is where it came from, after `redirects` hops.
    """

    status: int
    headers: CIMultiDictProxy[str]
    content: bytes
    target: Target
    redirects: int = 0


class GuardedClient:
    """Sends requests to hosts that the guard passes. Errors never tell what a name resolved to."""

    def __init__(
        self, guard: Guard, resolver: Resolver | None = None, *, trace: Callable[[], str | None] = lambda: None
    ) -> None:
        """`trace` gives the W3C trace context of what a request is sent for, where there is one."""
        self._guard = guard
        self._resolver = resolver or SystemResolver()
        self._trace = trace

    async def check(self, url: str) -> None:
        """Judge a URL as `request` would, and send nothing.

        Raises `SourceForbiddenError`, and `SourceUnreachableError` where the host cannot be found.
        """
        await self._addresses(self._guard.target(url))

    async def request(  # noqa: PLR0913 - each of them is a bound, or a part of the request
        self,
        method: str,
        url: str,
        *,
        max_bytes: int | None,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
        credentials: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_redirects: int = 0,
        hold: Callable[[int], None] = lambda _: None,
    ) -> Exchange:
        """Send a request and receive the answer, whatever its status, within all bounds together.

        `max_bytes` bounds the body; with None it is not read: the answer is its status and headers. `hold` is told of
        every piece of it that is in memory.
        `credentials` are headers for the first origin: they end with the first hop to another one and do not come
        back. With `max_redirects` 0 a redirect is an answer like any other; a followed one is requested with GET.
        Raises `SourceForbiddenError`, `SourceUnreachableError`, `SourceTimeoutError`, `TooLargeError`.
        """
        target = self._guard.target(url)
        trace = self._trace()
        open_to_all = dict(headers or {}) | ({"traceparent": trace} if trace else {})
        sent = open_to_all | dict(credentials or {})
        try:
            async with asyncio.timeout(timeout_s):
                for hop in range(max_redirects + 1):
                    exchange = await self._exchange(method, target, sent, body, max_bytes, hold)
                    if not max_redirects or exchange.status not in _REDIRECTS:
                        return msgspec.structs.replace(exchange, redirects=hop)
                    following = self._next(exchange)
                    if following.origin != target.origin:
                        sent = open_to_all
                    sent.pop("If-None-Match", None)  # it was about the URL that redirects
                    target, method, body = following, "GET", None
        except TimeoutError as error:
            raise too_slow(timeout_s) from error
        raise SourceForbiddenError(f"The server redirects more than {max_redirects} times.")

    def _next(self, exchange: Exchange) -> Target:
        location = exchange.headers.get("Location")
        if not location:
            raise SourceUnreachableError("The server redirects without saying where to.")
        try:
            return self._guard.target(_resolve(exchange.target, location))
        except ValueError as error:
            raise SourceForbiddenError("The server redirects to a malformed URL.") from error
        except SourceForbiddenError as error:
            raise SourceForbiddenError(f"The server redirects to where it may not: {error.detail}") from error

    async def _exchange(
        self,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        body: bytes | None,
        max_bytes: int | None,
        hold: Callable[[int], None],
    ) -> Exchange:
        with _translated():
            addresses = await self._addresses(target)
            async with (
                open_session(addresses) as session,
                session.request(method, _url(target), headers=headers, data=body, allow_redirects=False) as response,
            ):
                content = b""
                if max_bytes is not None and 200 <= response.status < 300:
                    content = await _read(response, max_bytes, hold)
                return Exchange(response.status, response.headers, content, target)

    async def _addresses(self, target: Target) -> list[Address]:
        """Look the host up, once for this hop, and refuse it unless all its addresses pass."""
        if target.address is not None:
            return [target.address]
        try:
            addresses = await self._resolver.addresses(target.host)
        except (OSError, UnicodeError) as error:
            raise SourceUnreachableError(f"The host {target.host!r} cannot be found.") from error
        for address in addresses:
            self._guard.check_address(target.host, address)
        return addresses


def _resolve(base: Target, location: str) -> str:
    """Resolve a redirect; an absolute one stays as it is written, where `urljoin` would mend `http:///host`."""
    return location if _ABSOLUTE.match(location) else urljoin(base.url, location)


def _url(target: Target) -> yarl.URL:
    """Give the URL to aiohttp, which must read the same host and port out of it."""
    url = yarl.URL(target.url, encoded=True)
    if (url.raw_host, url.port) != (target.host, target.port):
        raise SourceForbiddenError("The URL can be read in two ways.")
    return url


async def _read(response: aiohttp.ClientResponse, max_bytes: int, hold: Callable[[int], None]) -> bytes:
    """Read an answer to its end, or to the first byte too many, before and after decompression."""
    inflater = Inflater(",".join(response.headers.getall("Content-Encoding", [])))
    if (response.content_length or 0) > max_bytes:
        raise too_large(max_bytes)
    content = bytearray()
    async for chunk in response.content.iter_any():
        for piece in inflater.feed(chunk):
            hold(len(piece))
            content += piece
            if len(content) > max_bytes:
                raise too_large(max_bytes)
    inflater.end()
    return bytes(content)


@contextmanager
def _translated() -> Iterator[None]:
    """Tell what aiohttp raises in our words, which name no address."""
    try:
        yield
    except aiohttp.ServerTimeoutError as error:
        raise too_slow(CONNECT_TIMEOUT_S) from error
    except aiohttp.ClientSSLError as error:
        raise SourceUnreachableError("The server's certificate or its TLS is not acceptable.") from error
    except aiohttp.ClientConnectorError as error:
        raise SourceUnreachableError("The server refuses the connection.") from error
    except UnsupportedMediaTypeError as error:
        raise SourceUnreachableError("The server answers in a content encoding that was not asked for.") from error
    except BrokenEncodingError as error:
        raise SourceUnreachableError(f"The server's answer cannot be decompressed: {error}.") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise SourceUnreachableError("The server's answer broke off, or is not HTTP.") from error
