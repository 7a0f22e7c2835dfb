"""Form data as a stream: parts are counted against the limits while they arrive, large ones spooled to disk."""

import asyncio
import base64
import hashlib
import logging
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import cast

import msgspec
from aiohttp import BodyPartReader, MultipartReader, StreamReader, hdrs, http_exceptions, web

from service.api.bodies import Body, share_of, too_large
from service.api.disposition import parse_disposition
from service.core.inflate import Inflater
from service.errors import (
    InvalidMultipartError,
    OverloadedError,
    TooLargeError,
    UnsupportedMediaTypeError,
    Violation,
)
from service.keys import SETTINGS
from service.model import Upload
from service.settings import Settings

_LOG = logging.getLogger(__name__)
SPOOL_ABOVE = 1024 * 1024
"""Parts larger than this many bytes wait on disk."""

Parts = dict[str, Upload]
_BROKEN = (ValueError, AssertionError, RuntimeError, http_exceptions.HttpProcessingError)
"""What aiohttp's reader, and what undoes encodings, raise for a form that is malformed."""
_LONGEST_NAME = 100
"""So much of the name of an unknown part is told."""


@asynccontextmanager
async def form(request: web.Request, allowed: Mapping[str, str]) -> AsyncIterator[Parts]:
    """Read a form and give its parts by name; whatever was spooled goes when the context ends.

    `allowed` has the name that is meant for each that may be sent.

    Raises `InvalidMultipartError` for a form that is malformed or has an unknown, repeated, empty or unterminated
    part, `TooLargeError` as soon as a limit is passed, `RequestTimeoutError`, `OverloadedError` where the disk is full.
    """
    settings = request.app[SETTINGS]
    with _on_disk():
        made = tempfile.TemporaryDirectory(prefix="patchbay-", ignore_cleanup_errors=True)
    with made as spool:
        yield await _read_parts(request, allowed, settings, Path(spool))


@contextmanager
def _on_disk() -> Iterator[None]:
    """Ask the caller to come back where the disk takes no more, and tell the operator why."""
    try:
        yield
    except OSError as error:
        _LOG.error("TMPDIR takes no uploads: %s", error.strerror)
        raise OverloadedError(
            "There is no room for the upload at present. Try again later.", retry_after_s=10
        ) from error


async def _read_parts(request: web.Request, allowed: Mapping[str, str], settings: Settings, spool: Path) -> Parts:
    if "boundary" not in request.headers[hdrs.CONTENT_TYPE].lower():
        raise InvalidMultipartError("The Content-Type of the form names no boundary.")
    parts: Parts = {}
    reader = _open(request)
    room = settings.max_body_bytes
    hold = share_of(request).take
    count = 0
    while (part := await _next(reader, [*parts][-1:])) is not None:
        count += 1
        if count > settings.max_parts:
            raise TooLargeError(
                f"The form has more parts than max_parts, which is {settings.max_parts}.",
                limit="max_parts",
                maximum=settings.max_parts,
            )
        if isinstance(part, MultipartReader):
            raise InvalidMultipartError(f"Part {count} is itself multipart; send plain parts.")
        sent, file_name = _identify(part, count, allowed)
        name = _check_name(sent, allowed, parts)
        try:
            limit = min(room, settings.max_input_bytes)
            upload = await _receive(part, name, file_name, limit, settings, spool, hold)
        except InvalidMultipartError as error:
            raise _refusal(sent, f"Part '{sent}': {error.detail}") from error
        except UnsupportedMediaTypeError as error:
            raise _of_part(error, sent) from error
        except _BROKEN as error:
            broken = f"Part '{sent}' is broken: its encoding is not what it says, or no boundary ends it."
            raise _refusal(sent, broken) from error
        room -= upload.size
        parts[name] = upload
    return parts


class _Reader(MultipartReader):
    """Gives every part; a first one named `_charset_` aiohttp would keep to itself, and lose its way behind it."""

    async def fetch_next_part(self) -> MultipartReader | BodyPartReader:
        self._last_part = await super().fetch_next_part()
        return self._last_part


def _open(request: web.Request) -> MultipartReader:
    body = cast("StreamReader", Body(request))
    try:
        return _Reader(request.headers, body)
    except _BROKEN as error:
        raise InvalidMultipartError("The Content-Type of the form names a boundary that cannot be one.") from error


async def _next(reader: MultipartReader, last: list[str]) -> BodyPartReader | MultipartReader | None:
    """Return the next part; `last` names the one that was read before it, where there is one."""
    try:
        return await reader.next()
    except _BROKEN as error:
        if not last:
            raise InvalidMultipartError(
                "The form data is malformed: it does not begin with the boundary that the Content-Type names, or the "
                "headers of the first part are broken. Its lines end in CRLF."
            ) from error
        broken = (
            f"The form data is malformed behind part '{last[0]}': no boundary ends the part, or the headers of the "
            "part that follows are broken. Its lines end in CRLF."
        )
        raise _refusal(last[0], broken) from error


def _identify(part: BodyPartReader, count: int, allowed: Mapping[str, str]) -> tuple[str, str | None]:
    """Return a part's name and file name, from the standard disposition or one of two that older pages document.

    Those are `file; NAME="FILE"` and `NAME; filename="FILE"`.
    """
    kind, params = parse_disposition(part.headers.get(hdrs.CONTENT_DISPOSITION, ""))
    if kind == "file" and "name" not in params and len(params) == 1:
        ((name, file_name),) = params.items()
        return _as_allowed(name, allowed), file_name
    if kind not in ("", "form-data", "file", "attachment") and list(params) == ["filename"]:
        return _as_allowed(kind, allowed), params["filename"]
    if not params.get("name"):
        raise InvalidMultipartError(f'Part {count} has no name; send Content-Disposition: form-data; name="…".')
    return params["name"], params.get("filename")


def _as_allowed(name: str, allowed: Mapping[str, str]) -> str:
    """Return the name as it may be sent, whatever its letters' case."""
    return next((each for each in allowed if each.lower() == name), name)


def _check_name(sent: str, allowed: Mapping[str, str], parts: Parts) -> str:
    """Return the name that is meant."""
    name = allowed.get(sent)
    if name is None:
        shown, known = sent[:_LONGEST_NAME], ", ".join(sorted({*allowed.values()}))
        raise _refusal(shown, f"Part '{shown}' is not known; these are: {known}.")
    if name in parts:
        spelled = "" if sent == name else f", as '{sent}' too"
        raise _refusal(sent, f"Part '{name}' comes twice{spelled}.")
    return name


async def _receive(
    part: BodyPartReader,
    name: str,
    file_name: str | None,
    limit: int,
    settings: Settings,
    spool: Path,
    hold: Callable[[int], None],
) -> Upload:
    """Read one part within `limit` bytes, undoing its transfer and content encodings.

    `hold` is told what decompression adds to the body.
    """
    size = 0
    kept = bytearray()
    path = spool / hashlib.sha256(name.encode()).hexdigest()
    file = None
    try:
        async for chunk in _decoded(part, hold):
            size += len(chunk)
            if size > limit:
                named = ("max_input_bytes", settings.max_input_bytes)
                whole = ("max_body_bytes", settings.max_body_bytes)
                raise too_large("form", *(named if limit == settings.max_input_bytes else whole), part=name)
            if file is None and size > SPOOL_ABOVE:
                with _on_disk():
                    file = path.open("wb")
                    file.write(kept)
                kept.clear()
            if file is None:
                kept += chunk
            else:
                with _on_disk():
                    await asyncio.to_thread(file.write, chunk)
    finally:
        if file is not None:
            with _on_disk():
                file.close()
    media_type = part.headers.get(hdrs.CONTENT_TYPE)
    return Upload(
        content=bytes(kept) if file is None else path,
        size=size,
        media_type=media_type.split(";")[0].strip().lower() if media_type else None,
        charset=part.get_charset("") or None,
        file_name=file_name,
    )


async def _decoded(part: BodyPartReader, hold: Callable[[int], None]) -> AsyncIterator[bytes]:
    """Yield a part's bytes, decompressed in pieces."""
    encoding = part.headers.get(hdrs.CONTENT_ENCODING, "")
    inflater = Inflater(encoding)
    async for chunk in _transfer_decoded(part):
        for piece in inflater.feed(chunk):
            if encoding:
                hold(len(piece))
            yield piece
    inflater.end()


async def _transfer_decoded(part: BodyPartReader) -> AsyncIterator[bytes]:
    transfer = part.headers.get(hdrs.CONTENT_TRANSFER_ENCODING, "binary").strip().lower()
    if transfer not in ("binary", "7bit", "8bit", "base64"):
        raise InvalidMultipartError(
            f"Content-Transfer-Encoding {transfer!r} is not understood; send the part as it is."
        )
    rest = b""
    while chunk := await part.read_chunk(64 * 1024):
        if transfer == "base64":  # in quartets, which aiohttp does not always leave whole
            rest += chunk.translate(None, b" \t\r\n")
            whole = len(rest) // 4 * 4
            chunk, rest = base64.b64decode(rest[:whole], validate=True), rest[whole:]
        yield chunk
    base64.b64decode(rest, validate=True)  # refuses less than a quartet


def _of_part(error: UnsupportedMediaTypeError, name: str) -> UnsupportedMediaTypeError:
    """Say of an error in which part it is."""
    error.detail = f"Part '{name}': {error.detail}"
    error.violations = tuple(msgspec.structs.replace(each, part=name) for each in error.violations)
    return error


def _refusal(name: str, detail: str) -> InvalidMultipartError:
    return InvalidMultipartError(detail, violations=(Violation(code="invalid-multipart", detail=detail, part=name),))
