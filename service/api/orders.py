"""Requests of the compare family, in JSON or as form data, made into one thing: sources and options."""

import asyncio
import codecs
import io
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from service.api import wire
from service.api.bodies import read_body, share_of
from service.api.hanging_up import while_awaited
from service.api.multipart import form
from service.api.replies import JSON
from service.core import values
from service.errors import InvalidMultipartError, ServiceError, TooDeepError, Violation
from service.keys import CALLER, ENGINE, READERS, SETTINGS
from service.model import Reading, Source, Upload
from service.ports import SourceReader
from service.usecases import comparing

FORM = "multipart/form-data"
SOURCE = "application/vnd.patchbay.source+json"

Input = Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/IoObject"})]
"""A member that holds an I/O object."""

DOCUMENTED_SLIPS = {"arraylignment": "arrayAlignment"}
"""Members as the pages of the interface we are compatible with misspell them in samples that clients were made from."""

Wire = TypeVar("Wire", bound=msgspec.Struct)

_START_BYTES = 4096
_LARGE_BYTES = 256 * 1024
_LITERAL_STARTS = (b"{", b"[", b'"')
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LITERALS = (b"true", b"false", b"null")
_TEXTS = {msgspec.inspect.StrType, msgspec.inspect.LiteralType}


class Order(msgspec.Struct, Generic[Wire], frozen=True):
    """What a request asks for: typed sources by the names of the inputs, and the other members as `options`."""

    sources: Mapping[str, Source]
    options: Wire
    reading: Reading


@asynccontextmanager
async def order(request: web.Request, struct: type[Wire], inputs: tuple[str, ...]) -> AsyncIterator[Order[Wire]]:
    """Read the request as `struct`, whose members named by `inputs` hold I/O objects.

    Uploads live as long as the context. Raises what `wire.parse` and `multipart.form` raise.
    """
    media_type = wire.check_media_type(request, (JSON, FORM))
    if media_type == JSON:
        body = await read_body(request)
        if len(body) > _LARGE_BYTES:  # checking it takes long: others are served meanwhile
            yield await asyncio.to_thread(_from_json, request, struct, inputs, body)
        else:
            yield _from_json(request, struct, inputs, body)
        return
    known = wire.shape_of(struct)
    names = {spelled: name for spelled, name in _aliases(inputs).items() if name in known}
    async with form(request, {name: name for name in known} | names) as parts:
        yield _from_form(request, struct, inputs, parts)


async def read_inputs(request: web.Request, asked: Order[Wire]) -> dict[str, bytes]:
    """Read all inputs as JSON texts, unless the client hangs up. Raises what readers raise, naming the input."""
    async with while_awaited(request):
        return await comparing.read_inputs(asked.sources, request.app[READERS], asked.reading)


def _aliases(inputs: tuple[str, ...]) -> dict[str, str]:
    return {name.upper(): name for name in inputs if len(name) == 1} | DOCUMENTED_SLIPS


def _from_json(request: web.Request, struct: type[Wire], inputs: tuple[str, ...], body: bytes) -> Order[Wire]:
    max_depth = request.app[SETTINGS].max_depth
    check = request.app[ENGINE].check
    try:
        options = wire.parse(body, struct, max_depth=max_depth, aliases=_aliases(inputs), check=check)
    except TooDeepError as error:
        _, *path = str(error.violations[0].pointer).split("/")
        if not path or path[0].lower() not in inputs:
            raise
        raise _too_deep(path[0].lower(), path[1:], max_depth) from error
    readers = request.app[READERS]
    sources = _each(inputs, lambda name: readers.parse(_member(options, name), name))
    return Order(sources, options, _reading(request, {}))


def _too_deep(name: str, path: list[str], max_depth: int) -> TooDeepError:
    """Say that it is an input's document that is nested too deep, and by the limit for documents."""
    detail = f"The document is nested deeper than {max_depth} levels."
    where = "".join(f"/{token}" for token in path[1 : 1 + max_depth])
    return TooDeepError(detail, pointer=where, limit="max_depth", maximum=max_depth).within(name)


def _from_form(
    request: web.Request, struct: type[Wire], inputs: tuple[str, ...], parts: Mapping[str, Upload]
) -> Order[Wire]:
    missing = [name for name in inputs if name not in parts]
    if missing:
        raise InvalidMultipartError(
            f"The form lacks: {', '.join(missing)}.",
            violations=tuple(
                Violation(code=InvalidMultipartError.code, detail=f"part '{name}' is missing", part=name)
                for name in missing
            ),
        )
    readers, max_depth = request.app[READERS], request.app[SETTINGS].max_depth
    sources = _each(inputs, lambda name: _source(name, parts[name], readers, max_depth))
    texts = {name: _text(name, upload) for name, upload in parts.items() if name not in inputs}
    shape = wire.shape_of(struct)
    members = {name: _as_json(name, text, shape[name].hint) for name, text in texts.items()}
    options = wire.build({**members, **dict.fromkeys(inputs, msgspec.Raw(b"null"))}, struct)
    return Order(sources, options, _reading(request, parts))


def _each(inputs: tuple[str, ...], parse: Callable[[str], Source]) -> dict[str, Source]:
    return dict(zip(inputs, wire.parse_all(inputs, parse), strict=True))


def _source(name: str, upload: Upload, readers: SourceReader, max_depth: int) -> Source:
    """Tell from a part's own Content-Type, and else from how it begins, what the part is (API 2.2)."""
    if upload.media_type == SOURCE:
        text = _text(name, upload)
        try:
            _check(name, text, wire.ENVELOPE_DEPTH + max_depth)
        except TooDeepError as error:
            raise _too_deep(name, str(error.violations[0].pointer).split("/")[1:], max_depth) from error
        return readers.parse(text, name)
    if upload.file_name is not None or upload.media_type not in (None, "text/plain"):
        return readers.parse(msgspec.json.encode({"type": "upload", "part": name}), name)
    start = _start(upload)
    if not start:
        detail = f"Part '{name}' is empty; send a document, a URL or a path."
        raise InvalidMultipartError(detail, part=name)
    if _begins_document(start):
        return readers.parse(msgspec.json.encode({"type": "upload", "part": name}), name)
    where = _text(name, upload).decode("utf-8", "replace").strip()
    if where.lower().startswith(("http://", "https://")):
        return readers.parse(msgspec.json.encode({"type": "http", "uri": where}), name)
    return readers.parse(msgspec.json.encode({"type": "file", "path": where}), name)


def _begins_document(start: bytes) -> bool:
    """Whether a text is neither a URL nor a path; one of another encoding is told to be sent as UTF-8."""
    text = start.rstrip()
    is_json = text.startswith(_LITERAL_STARTS) or text in _LITERALS or _NUMBER.fullmatch(text) is not None
    return is_json or start.startswith(_UTF_16) or b"\0" in start


def _start(upload: Upload) -> bytes:
    """Return how a part begins, white space before it aside."""
    content = upload.content
    with content.open("rb") if isinstance(content, Path) else io.BytesIO(content) as file:
        start = file.read(_START_BYTES).removeprefix(codecs.BOM_UTF8).lstrip()
        while not start and (more := file.read(_START_BYTES)):
            start = more.lstrip()
    return start


def _text(name: str, upload: Upload) -> bytes:
    if isinstance(upload.content, Path):
        raise InvalidMultipartError(f"Part '{name}' is too long for what it is.", part=name)
    return upload.content.removeprefix(codecs.BOM_UTF8)


def _as_json(name: str, text: bytes, hint: Any) -> msgspec.Raw:
    """Take a text part as JSON; where the member is a string, the text itself is meant.

    So it is where the member is a flag, a number or a list, and the text no JSON: its type is then at fault.
    """
    stripped = text.strip()
    kinds = _kinds(hint)
    is_word = stripped != b"" and not _begins_document(stripped) and msgspec.inspect.RawType not in kinds
    if is_word or (kinds & _TEXTS and not stripped.startswith(b'"')):
        return msgspec.Raw(msgspec.json.encode(stripped.decode("utf-8", "replace")))
    _check(name, stripped, wire.ENVELOPE_DEPTH)
    return msgspec.Raw(stripped)


def _check(name: str, text: bytes, max_depth: int) -> None:
    """Refuse a part that is not strict JSON, naming it."""
    try:
        values.check(text, max_depth)
    except ServiceError as error:
        error.detail = f"Part '{name}': {error.detail}"
        error.violations = tuple(msgspec.structs.replace(each, part=name) for each in error.violations)
        raise


def _kinds(hint: Any) -> set[type[msgspec.inspect.Type]]:
    """Give what a member may be."""
    info = msgspec.inspect.type_info(hint)
    if isinstance(info, msgspec.inspect.Metadata):
        info = info.type
    options = info.types if isinstance(info, msgspec.inspect.UnionType) else (info,)
    return {type(each.type if isinstance(each, msgspec.inspect.Metadata) else each) for each in options}


def _member(options: msgspec.Struct, name: str) -> msgspec.Raw:
    value: msgspec.Raw = getattr(options, wire.shape_of(type(options))[name].attribute)
    return value


def _reading(request: web.Request, uploads: Mapping[str, Upload]) -> Reading:
    settings = request.app[SETTINGS]
    hold = share_of(request).take
    return Reading(settings.max_input_bytes, settings.url_timeout_s, request[CALLER], uploads, hold)
