"""Request bodies, read as a stream and counted while they arrive."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import ClientPayloadError, http_exceptions, web

from service.errors import (
    InvalidRequestError,
    RequestTimeoutError,
    TooLargeError,
    UnsupportedMediaTypeError,
)
from service.keys import SETTINGS

ENCODINGS = ("identity", "gzip", "deflate")


async def read_body(request: web.Request) -> bytes:
    """Return the whole body, decompressed.

    Raises `TooLargeError` as soon as it passes the limit, `RequestTimeoutError` when it does not arrive in time,
    `UnsupportedMediaTypeError` for a content encoding that is not understood.
    """
    return b"".join([chunk async for chunk in chunks(request)])


async def chunks(request: web.Request) -> AsyncIterator[bytes]:
    """Yield the body piece by piece under the same limits as `read_body`."""
    settings = request.app[SETTINGS]
    check_encoding(request.headers.get("Content-Encoding", ""))
    if (request.content_length or 0) > settings.max_body_bytes:
        raise too_large("body", "max_body_bytes", settings.max_body_bytes)
    size = 0
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            while chunk := await request.content.readany():
                size += len(chunk)
                if size > settings.max_body_bytes:
                    raise too_large("body", "max_body_bytes", settings.max_body_bytes)
                yield chunk
    except TimeoutError as error:
        raise timed_out(settings.body_timeout_s) from error
    except (http_exceptions.HttpProcessingError, ClientPayloadError) as error:
        raise InvalidRequestError("The body cannot be decompressed as its Content-Encoding says.") from error


def check_encoding(encoding: str) -> None:
    """Raise `UnsupportedMediaTypeError` unless the content encoding is one that is undone here."""
    if encoding and encoding.strip().lower() not in ENCODINGS:
        raise UnsupportedMediaTypeError(f"Content-Encoding {encoding!r} is not understood; these are: gzip, deflate.")


def too_large(what: str, limit: str, maximum: int, *, part: str | None = None) -> TooLargeError:
    """Build the refusal of something that passes a limit of so many bytes."""
    facts: dict[str, Any] = {"part": part} if part else {}
    name = f"The {what}" if part is None else f"Part '{part}'"
    return TooLargeError(
        f"{name} is larger than {limit}, which is {maximum} bytes.", limit=limit, maximum=maximum, **facts
    )


def timed_out(seconds: float) -> RequestTimeoutError:
    """Build the refusal of a body that did not arrive in time."""
    return RequestTimeoutError(f"The request's body did not arrive within {seconds:g} seconds.")
