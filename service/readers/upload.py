"""Documents that arrived as a part of the form."""

import asyncio
from pathlib import Path

from service.errors import SourceNotFoundError
from service.model import Document, Format, Reading, Source
from service.readers.budget import too_large


class UploadSource(Source, frozen=True):
    """The name of a form part, and its format where the part itself does not say."""

    part: str
    format: Format | None = None


class UploadReader:
    """Reads a part from memory, or from the file it was spooled to."""

    types = ("upload",)
    source = UploadSource

    async def read(self, source: UploadSource, reading: Reading) -> Document:
        """Return the part's content; raise `SourceNotFoundError` naming the parts that are there."""
        upload = reading.uploads.get(source.part)
        if upload is None:
            there = ", ".join(repr(name) for name in reading.uploads) or "none; send the request as multipart/form-data"
            raise SourceNotFoundError(f"No form part is named {source.part!r}. Parts: {there}.", part=source.part)
        if upload.size > reading.max_bytes:
            raise too_large(reading.max_bytes)
        content = upload.content
        if isinstance(content, Path):
            content = await asyncio.to_thread(content.read_bytes)
        return Document(content, upload.media_type, upload.charset, source.format, upload.file_name)
