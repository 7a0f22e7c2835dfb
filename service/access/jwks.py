"""Where the keys of tokens come from: a file, or a URL that the operator names."""

import asyncio
import os
from pathlib import Path

import aiohttp

from service.access.tokens import LoadKeys

_LARGEST = 1024 * 1024
_TIMEOUT_S = 10.0


def jwks_loader(where: str) -> LoadKeys:
    """Return what obtains the keys. The operator's own URL is trusted: the guard on remote sources is not for it."""
    if where.startswith(("http://", "https://")):
        return lambda: _fetch(where)
    path = Path(os.path.expanduser(where))  # noqa: PTH111 - a home that is not known is told as a file that is not
    return lambda: _read(path)


async def _read(path: Path) -> bytes:
    return await asyncio.to_thread(path.read_bytes)


async def _fetch(url: str) -> bytes:
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, allow_redirects=False) as answer:
            answer.raise_for_status()
            return await _read_bounded(answer)
    except aiohttp.ClientError as error:
        raise OSError("it could not be fetched") from error


async def _read_bounded(answer: aiohttp.ClientResponse) -> bytes:
    text = b""
    async for chunk in answer.content.iter_any():
        text += chunk
        if len(text) > _LARGEST:
            raise ValueError("the JWKS is too large")
    return text
