"""Sessions that reach nothing but the addresses they were made for."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from aiohttp.http_parser import RawResponseMessage

from service.errors import SourceForbiddenError
from service.readers.address import Address

CONNECT_TIMEOUT_S = 5.0
_MAX_HEADER_BYTES = 32 * 1024
"""Servers send policies and cookies that are longer than the 8,190 bytes that aiohttp takes by default."""
_MOST_ANNOUNCEMENTS = 32
_AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]


class Pin(AbstractResolver):
    """Holds a connector to the addresses that were judged: as its resolver, and where each socket is made."""

    def __init__(self, addresses: list[Address]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Answer with the judged addresses, whatever the host."""
        del family
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Hold nothing."""

    def make_socket(self, info: _AddressInfo) -> socket.socket:
        """Make a socket for a judged address, and for no other."""
        family, kind, protocol, _, address = info
        if ip_address(address[0]) not in self._addresses:
            raise SourceForbiddenError("The server is not where it was looked up.")
        return socket.socket(family, kind, protocol)


class _BriefResponse(aiohttp.ClientResponse):
    """An answer that is announced (1xx) a few times at most: while many are read nothing else has its turn.

    It is asked for once; where the server hangs up on a GET, aiohttp would send it again.
    """

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Wait for the answer behind its announcements."""
        protocol = connection.protocol
        if protocol is not None:
            read, places = protocol.read, iter(range(_MOST_ANNOUNCEMENTS + 1))

            async def read_next() -> tuple[RawResponseMessage, aiohttp.StreamReader]:
                if next(places, None) is None:
                    raise aiohttp.ServerDisconnectedError("announces an answer, and gives none")
                return await read()

            protocol.read = read_next  # type: ignore[method-assign]
        try:
            return await super().start(connection)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise aiohttp.ClientConnectionError from error


@asynccontextmanager
async def open_session(addresses: list[Address]) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session whose connections go to the given addresses, whatever it is asked for."""
    pin = Pin(addresses)
    connector = aiohttp.TCPConnector(
        resolver=pin, socket_factory=pin.make_socket, use_dns_cache=False, force_close=True
    )
    async with aiohttp.ClientSession(
        connector=connector,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        response_class=_BriefResponse,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
        max_field_size=_MAX_HEADER_BYTES,
        headers={"Accept-Encoding": "gzip, deflate", "User-Agent": "patchbay"},
    ) as session:
        yield session
