"""Looking host names up, in threads of its own: a name server that never answers holds up look-ups and no more."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Protocol

from service.readers.address import Address

MAX_LOOK_UPS = 16


class Resolver(Protocol):
    """Looks host names up."""

    async def addresses(self, host: str) -> list[Address]:
        """Return every address of the host; raise `OSError` where it has none."""
        ...


class SystemResolver:
    """The machine's own look-up."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(MAX_LOOK_UPS, thread_name_prefix="look-up")

    async def addresses(self, host: str) -> list[Address]:
        """Return every address of the host, in the order that the system prefers."""
        found = await asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host)
        return list(dict.fromkeys(map(ip_address, found)))


def _look_up(host: str) -> list[str]:
    return [str(address[0]) for *_, address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
