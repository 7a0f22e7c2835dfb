"""Documents that are files below the folder that the operator named, and nowhere else."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import UNSET, UnsetType

from service.errors import SourceForbiddenError, SourceUnreachableError, StartError
from service.model import Document, Format, Reading, Source
from service.readers.beneath import open_beneath
from service.readers.budget import too_large

MAX_READS = 8
_CHUNK = 1024 * 1024


class FileSource(Source, frozen=True):
    """A path below the files root; `uri` is another spelling of `path`."""

    path: str | UnsetType = UNSET
    uri: str | UnsetType = UNSET
    format: Format | None = None

    def __post_init__(self) -> None:
        """Refuse both spellings at once, and neither."""
        if (self.path is UNSET) == (self.uri is UNSET):
            raise ValueError("it takes one of `path` and `uri`")

    @property
    def location(self) -> str:
        """The path, however it was spelt."""
        return str(self.uri if self.path is UNSET else self.path)


class FileReader:
    """Reads files below `root`; without a root it refuses."""

    types = ("file",)
    source = FileSource

    def __init__(self, root: Path | None) -> None:
        """Raise `StartError` for a root that is no folder."""
        if root is not None and not os.path.isdir(root):  # noqa: PTH112 - False also where it may not be looked at
            raise StartError(
                f"PATCHBAY_FILES_ROOT is {root}, where there is no folder that can be read. Make it, or name another."
            )
        self._root = root
        # threads of its own: a disk that hangs holds up files and no more
        self._threads = ThreadPoolExecutor(MAX_READS, thread_name_prefix="file")

    async def read(self, source: FileSource, reading: Reading) -> Document:
        """Read a regular file of at most `reading.max_bytes`, without holding up the event loop."""
        if self._root is None:
            raise SourceForbiddenError("Files are not read here: the operator has not set PATCHBAY_FILES_ROOT.")
        loop = asyncio.get_running_loop()
        content = await loop.run_in_executor(self._threads, _read, self._root, source.location, reading)
        return Document(content, format=source.format, name=source.location.rpartition("/")[2])


def _read(root: Path, path: str, reading: Reading) -> bytes:
    """Read to the end, or to one byte beyond the limit: the size is what is read, not what the file once said."""
    max_bytes = reading.max_bytes
    descriptor = open_beneath(root, path)
    try:
        if os.fstat(descriptor).st_size > max_bytes:
            raise too_large(max_bytes)
        content = bytearray()
        while chunk := os.read(descriptor, min(_CHUNK, max_bytes + 1 - len(content))):
            reading.hold(len(chunk))
            content += chunk
            if len(content) > max_bytes:
                raise too_large(max_bytes)
        return bytes(content)
    except OSError as error:
        raise SourceUnreachableError("The file could not be read to its end.") from error
    finally:
        os.close(descriptor)
