"""A proxy before the database that cuts connections between request and reply, where it hurts most."""

import asyncio
import contextlib
from pathlib import Path
from urllib.parse import quote, unquote


class CuttingProxy:
    """Listens on a UNIX socket; every so many replies it passes the request on and cuts before the reply gets back."""

    def __init__(self, uri: str, socket: Path, every: int) -> None:
        self._server_path = unquote(uri.removeprefix("mongodb://").split("/?")[0])
        self._path = socket
        self._every = every
        self._replies = 0
        self.cuts = 0

    @property
    def uri(self) -> str:
        """Where a driver finds the database through the proxy."""
        return f"mongodb://{quote(str(self._path), safe='')}/?directConnection=true"

    async def start(self) -> asyncio.Server:
        """Begin to listen; the caller closes."""
        return await asyncio.start_unix_server(self._serve, self._path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(self._server_path)
        passing = asyncio.create_task(self._pass(reader, server_writer))
        try:
            while data := await server_reader.read(2**16):
                if self._is_cut(data):
                    break
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            passing.cancel()
            writer.close()
            server_writer.close()

    def _is_cut(self, reply: bytes) -> bool:
        if b"nModified" not in reply:
            return False  # no reply to an update
        self._replies += 1
        if self._replies % self._every:
            return False
        self.cuts += 1
        return True

    @staticmethod
    async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(2**16):
                writer.write(data)
                await writer.drain()
            writer.close()
