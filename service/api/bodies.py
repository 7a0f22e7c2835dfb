"""Request bodies, read as a stream and counted while they arrive."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import HttpVersion11, web

from service.core.inflate import PIECE_BYTES, BrokenEncodingError, Inflater
from service.errors import InvalidRequestError, RequestTimeoutError, TooLargeError
from service.keys import ASKS_FIRST, BODY, ROOM, SETTINGS, SHARE
from service.room import Share

_CONTINUE = "100-continue"
_MANY_PIECES = 16
"""About 1 MiB: from there on `join` lets other threads run, and takes long where the memory is new."""
_MAX_LINE_BYTES = 16 * 1024
_LINES_PER_PART = 130
"""aiohttp takes 128 headers of a part; a boundary stands before and an empty line behind them."""


async def read_body(request: web.Request) -> bytes:
    """Return the whole body, decompressed, also a second time. Raises what `Body` raises."""
    body = request.get(BODY)
    if body is None:
        body = _take_arrived(request)
        request[BODY] = body = await _join(Body(request)) if body is None else body
    return body


def _take_arrived(request: web.Request) -> bytes | None:
    """Return the body at once if all of it came with the headers and it is as it was sent, as most are."""
    content = request.content
    if "Content-Encoding" in request.headers or content.exception() is not None or not content.is_eof():
        return None
    if content.total_bytes > request.app[SETTINGS].max_body_bytes:
        return None
    return content.read_nowait()


async def _join(body: "Body") -> bytes:
    pieces = [piece async for piece in body.pieces()]
    return await asyncio.to_thread(b"".join, pieces) if len(pieces) > _MANY_PIECES else b"".join(pieces)


class Body:
    """A request's body, decompressed, counted against its limit and its time while it arrives.

    Has the methods that aiohttp's `MultipartReader` reads a stream by.

    Raises `TooLargeError` as soon as it passes the limit, `OverloadedError` when there is no room for it,
    `RequestTimeoutError` when it does not arrive in time, `UnsupportedMediaTypeError` for a content encoding that is
    not understood, `InvalidRequestError` for one that is broken.
    """

    def __init__(self, request: web.Request) -> None:
        settings = request.app[SETTINGS]
        self._request = request
        self._max_bytes = settings.max_body_bytes
        self._timeout_s = settings.body_timeout_s
        self._max_lines = _LINES_PER_PART * (settings.max_parts + 1)
        self._content = request.content
        self._inflater = Inflater(",".join(request.headers.getall("Content-Encoding", [])))
        if (request.content_length or 0) > self._max_bytes:
            raise too_large("body", "max_body_bytes", self._max_bytes)
        self._source = self.pieces()
        self._kept = bytearray()
        self._ended = False

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body piece by piece."""
        await _invite(self._request)
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        share = share_of(self._request)
        size = 0
        try:
            while data := await self._next(deadline):
                for piece in self._inflater.feed(data):
                    size += len(piece)
                    if size > self._max_bytes:
                        raise too_large("body", "max_body_bytes", self._max_bytes)
                    share.take(len(piece))
                    yield piece
                    if len(piece) == PIECE_BYTES:
                        await asyncio.sleep(0)  # a small body may inflate to much: others take their turn
            self._inflater.end()
        except BrokenEncodingError as error:
            raise InvalidRequestError(
                f"The body cannot be decompressed as its Content-Encoding says: {error}.", field="Content-Encoding"
            ) from error

    async def _next(self, deadline: float) -> bytes:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._content.readany()
        except TimeoutError as error:
            raise RequestTimeoutError(
                f"The request's body did not arrive within {self._timeout_s:g} seconds."
            ) from error
        except web.RequestPayloadError as error:
            raise InvalidRequestError("The body's Transfer-Encoding is broken: a chunk is malformed.") from error

    async def _fill(self) -> None:
        try:
            self._kept += await anext(self._source)
        except StopAsyncIteration:
            self._ended = True

    async def read(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the end."""
        while not self._kept and not self._ended:
            await self._fill()
        return self._take(size)

    async def readline(self, *, max_line_length: int = _MAX_LINE_BYTES) -> bytes:
        """Return a line with its end. Raises `ValueError` for one that is too long, or one too many."""
        self._max_lines -= 1
        if self._max_lines < 0:
            raise ValueError("too many lines outside the parts")
        searched = 0
        while (end := self._kept.find(b"\n", searched)) < 0 and not self._ended:
            searched = len(self._kept)
            if searched > max_line_length:
                break
            await self._fill()
        if (end if end >= 0 else len(self._kept)) > max_line_length:
            raise ValueError("a line is too long")
        return self._take(end + 1 if end >= 0 else len(self._kept))

    def at_eof(self) -> bool:
        """Whether everything was read."""
        return self._ended and not self._kept

    def unread_data(self, data: bytes) -> None:
        """Put bytes back, to be read next."""
        self._kept[:0] = data

    def _take(self, size: int) -> bytes:
        taken = bytes(self._kept[:size])
        del self._kept[:size]
        return taken


async def leave_expectation(_: web.Request) -> None:
    """Answer nothing to an `Expect`, as aiohttp itself would: `note_expectation` reads it, where problems are made."""


def note_expectation(request: web.Request) -> None:
    """Note that a client asks before it sends the body; refuse every other expectation, whatever characters it has.

    It is told to go on when the body is about to be read: what is refused by its head alone is not sent in vain.
    """
    if request.headers["Expect"].lower() != _CONTINUE:
        raise web.HTTPExpectationFailed(reason="The only expectation that is met is 100-continue.")
    if request.version == HttpVersion11:
        request[ASKS_FIRST] = True


async def _invite(request: web.Request) -> None:
    if request.pop(ASKS_FIRST, False):
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun


def share_of(request: web.Request) -> Share:
    """Return what the request holds of the room for documents; it is given back when the request is answered."""
    share = request[SHARE]
    if share is None:
        share = request[SHARE] = request.app[ROOM].share()
    return share


def too_large(what: str, limit: str, maximum: int, *, part: str | None = None) -> TooLargeError:
    """Build the refusal of something that passes a limit of so many bytes."""
    facts: dict[str, Any] = {"part": part} if part else {}
    name = f"The {what}" if part is None else f"Part '{part}'"
    return TooLargeError(
        f"{name} is larger than {limit}, which is {maximum} bytes.", limit=limit, maximum=maximum, **facts
    )
