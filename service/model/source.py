"""Where inputs are, what a reader obtains from there, and under which bounds."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from service.model.caller import ANONYMOUS, Caller

Format = Literal["json", "yaml", "ndjson"]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Where an input is: the members of an I/O object beside `type`. One subclass for each kind of reader."""


class Document(msgspec.Struct, frozen=True):
    """A text as a reader obtained it. `format` is what the caller says it is, None where it does not say.

    `name` is what the source calls itself (a file's name); where nothing else tells the format, its suffix does.
    """

    content: bytes
    media_type: str | None = None
    charset: str | None = None
    format: Format | None = None
    name: str | None = None


class Upload(msgspec.Struct, frozen=True):
    """A form part that has arrived: in memory, or spooled to a file that lives as long as the request."""

    content: bytes | Path
    size: int
    media_type: str | None = None
    charset: str | None = None
    file_name: str | None = None


class Reading(msgspec.Struct, frozen=True):
    """Under which bounds, and for whom, a reader reads. `max_bytes` holds after decompression.

    `hold` is told how many more bytes are in memory, as they come, and raises `OverloadedError` where all requests
    together hold too many; it may be called in any thread.
    """

    max_bytes: int
    timeout_s: float
    caller: Caller = ANONYMOUS
    uploads: Mapping[str, Upload] = {}
    hold: Callable[[int], None] = lambda _: None
