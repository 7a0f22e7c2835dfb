"""Which types of input there are, and who reads each. Knows no reader by name: `app` passes the built-in ones."""

import asyncio
import logging
import re
from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Any, Union, cast

import msgspec
from msgspec import UNSET
from msgspec.inspect import LiteralType, StructType, UnionType

from service.errors import InvalidRequestError, ServiceError, SourceUnreachableError, StartError
from service.model import Document, Reading, Source
from service.ports import Reader, Runner
from service.readers.budget import too_large, too_slow
from service.readers.formats import is_json, to_json

_LOG = logging.getLogger(__name__)
ENTRY_POINT_GROUP = "patchbay.readers"
_SMALL_BYTES = 16 * 1024
"""So much is converted within a tenth of a second, in a thread; more, of which a MiB may take seconds, elsewhere."""


class ReaderSetupError(StartError):
    """A plug-in that cannot be used; raised when the service starts, never by a request."""


class ReaderRegistry:
    """Every known reader: turns an I/O object into its typed source, and a source into a document."""

    def __init__(self, readers: Iterable[Reader], runner: Runner | None = None) -> None:
        """`runner` converts large documents that are not JSON; without one a thread does."""
        self._runner = runner
        self._readers: dict[type[Source], Reader] = {}
        tagged: dict[str, type[Source]] = {}
        for reader in readers:
            self._readers[reader.source] = reader
            for name in reader.types:
                if name in tagged:
                    raise ReaderSetupError(f"Two readers answer to the type {name!r}; a type has one reader.")
                tagged[name] = _tag(reader.source, name)
        self._types = tuple(sorted(tagged))
        self._tagged = tagged
        self._decoder: msgspec.json.Decoder[Source] = msgspec.json.Decoder(Union[tuple(tagged.values())])  # noqa: UP007

    @property
    def types(self) -> tuple[str, ...]:
        """Every value that `type` may have, sorted."""
        return self._types

    def parse(self, text: bytes | msgspec.Raw, where: str) -> Source:
        """Turn an I/O object, known to be strict JSON, into a typed source; `where` names the input in errors.

        Raises `InvalidRequestError` that lists the known types, or names the member at fault.
        """
        try:
            return self._decoder.decode(text)
        except msgspec.DecodeError as error:
            raise self._refusal(text, str(error)).within(where) from error

    async def read(self, source: Source, reading: Reading) -> Document:
        """Obtain the document within the bounds of `reading`, which hold for readers of third parties too."""
        reader = next(self._readers[each] for each in type(source).__mro__ if each in self._readers)
        try:
            async with asyncio.timeout(reading.timeout_s):
                document = await reader.read(source, reading)
        except TimeoutError as error:
            raise too_slow(reading.timeout_s) from error
        if len(document.content) > reading.max_bytes:
            raise too_large(reading.max_bytes)
        return document

    async def read_json(self, source: Source, reading: Reading) -> bytes:
        """Obtain a document as JSON text, whatever its format; what must be converted does not hold up others."""
        document = await self.read(source, reading)
        size = len(document.content)
        if is_json(document):
            text = to_json(document, reading.max_bytes)
        elif self._runner is None or size <= _SMALL_BYTES:
            text = await asyncio.to_thread(to_json, document, reading.max_bytes)
        else:
            text = await self._runner.call(to_json, document, reading.max_bytes, size=size)
        if len(text) > size:
            reading.hold(len(text) - size)
        return text

    def _refusal(self, text: bytes | msgspec.Raw, message: str) -> InvalidRequestError:
        known = ", ".join(self.types)
        try:
            head = msgspec.json.decode(text, type=_Head)
        except msgspec.DecodeError:
            return InvalidRequestError(f"An input is an object whose 'type' is one of {known}.", field="type")
        if head.type not in self._types:
            return InvalidRequestError(
                f"There is no input of type {head.type[:60]!r}; known are {known}.", field="type"
            )
        member = _MEMBER.search(message)
        field = member[1] if member else UNSET
        choice = _choice(self._tagged[head.type], member[1]) if member else ""
        return InvalidRequestError(f"In an input of type {head.type!r}: {_told(message)}{choice}.", field=field)


_MEMBER = re.compile(r"(?:field `|at `\$\.)([^`.\[]+)")


class _Head(msgspec.Struct):
    type: str


def _tag(source: type[Source], name: str) -> type[Source]:
    """Derive the Struct that msgspec picks for `{"type": name}`; one reader may answer to several types."""
    derived: Any = msgspec.defstruct(f"{source.__name__}_{name}", [], bases=(source,), tag_field="type", tag=name)
    return cast("type[Source]", derived)


def _told(message: str) -> str:
    return message.replace(" - at `$`", "").replace("`$.", "`").replace("`", "'")


def _choice(source: type[Source], name: str) -> str:
    """Say which members there are, where `name` is none of them, and else what it takes if that is one of a few."""
    members = cast("StructType", msgspec.inspect.type_info(source)).fields
    kinds = {member.encode_name: member.type for member in members}
    if name not in kinds:
        return f"; known: {', '.join(kinds)}"
    kind = kinds[name]
    options = kind.types if isinstance(kind, UnionType) else (kind,)
    known = [str(value) for kind in options if isinstance(kind, LiteralType) for value in kind.values]
    return f"; it takes: {', '.join(known)}" if known else ""


@cache
def installed() -> EntryPoints:
    """Return the readers that installed packages offer. Looked for once: it takes two fifths of a start."""
    return entry_points(group=ENTRY_POINT_GROUP)


def adopt(offered: Iterable[EntryPoint]) -> tuple[Reader, ...]:
    """Make the readers that are offered: each entry point names a callable without parameters."""
    return tuple(_Plugin(each.name, _load(each)) for each in offered)


def _load(entry: EntryPoint) -> Reader:
    try:
        reader = entry.load()()
        usable = bool(reader.types) and issubclass(reader.source, Source) and callable(reader.read)
    except Exception as error:
        raise ReaderSetupError(f"The reader {entry.name!r} ({entry.value}) cannot be made: {error}") from error
    if not usable:
        raise ReaderSetupError(f"The reader {entry.name!r} ({entry.value}) lacks types, source or read.")
    return cast("Reader", reader)


class _Plugin:
    """Stands before a third party's reader, so that its faults are told as those of the source."""

    def __init__(self, name: str, reader: Reader) -> None:
        self._name, self._reader = name, reader
        self.types, self.source = tuple(reader.types), reader.source

    async def read(self, source: Any, reading: Reading) -> Document:
        try:
            document = await self._reader.read(source, reading)
            reading.hold(len(document.content))
        except (ServiceError, TimeoutError):
            raise
        except Exception as error:
            _LOG.exception("the reader %r failed in a way that it does not foresee", self._name)
            raise SourceUnreachableError(f"The reader {self._name!r} failed; ask who operates this service.") from error
        return document
