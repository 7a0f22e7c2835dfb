"""Opening a file below a folder so that nothing leads out of it: no `..`, no link, no rename while it happens.

Every component is opened by itself, relative to the descriptor of the one before and without following links; links are
read and walked in the same way, so that those that stay inside work.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from service.errors import SourceForbiddenError, SourceNotFoundError, SourceUnreachableError

MAX_PATH_LENGTH = 4096
MAX_LINKS = 40

_DIRECTORY = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}
_REPLACED = {errno.ELOOP, errno.EMLINK, errno.ENXIO}
"""What opening gives when a name became a link or a FIFO after it was looked at."""


def open_beneath(root: Path, path: str) -> int:
    """Open a regular file for reading and return its descriptor; opening never blocks.

    Raises `SourceForbiddenError` for a path that is absolute, has `..`, leads out or is no regular file,
    `SourceNotFoundError`.
    """
    names = _split(path)
    with _translated(path):
        return _Walk(root).open(names, path)


def _split(path: str) -> list[str]:
    if path.startswith("/"):
        raise SourceForbiddenError("The path is absolute; give it relative to the files root.")
    if "\x00" in path or len(path) > MAX_PATH_LENGTH:
        raise SourceForbiddenError(f"The path has a NUL or more than {MAX_PATH_LENGTH} characters.")
    names = path.split("/")
    if ".." in names:
        raise SourceForbiddenError("The path has '..'; give it relative to the files root, without steps back.")
    if names[-1] in {"", "."}:
        raise SourceForbiddenError("The path names a directory; name a file.")
    return names


class _Walk:
    """A way down from the root: the open directories on it, and the names still to go."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._directories: list[int] = []
        self._links = 0

    def open(self, names: list[str], path: str) -> int:
        with ExitStack() as opened:
            self._directories = [_opened(opened, self._root, None)]
            todo = names[::-1]
            while todo:
                name = todo.pop()
                if name == "..":
                    self._step_back(path)
                elif name not in {"", "."}:
                    kind = os.stat(name, dir_fd=self._directories[-1], follow_symlinks=False).st_mode
                    if stat.S_ISLNK(kind):
                        todo += self._follow(name, path)[::-1]
                    elif todo:
                        self._directories.append(_opened(opened, name, self._directories[-1]))
                    else:
                        return self._open_file(name, kind, path)
        raise _not_a_file(path)

    def _step_back(self, path: str) -> None:
        if len(self._directories) == 1:
            raise _leads_out(path)
        self._directories.pop()

    def _follow(self, name: str, path: str) -> list[str]:
        """Return the components of a link's target; an absolute one starts again at the root, if it is below it."""
        self._links += 1
        if self._links > MAX_LINKS:
            raise SourceForbiddenError(f"The path {_shown(path)} leads through more than {MAX_LINKS} links.")
        target = os.readlink(name, dir_fd=self._directories[-1])
        if not target.startswith("/"):
            return target.split("/")
        try:
            below = Path(target).relative_to(self._root.resolve())
        except ValueError as error:
            raise _leads_out(path) from error
        del self._directories[1:]
        return list(below.parts)

    def _open_file(self, name: str, kind: int, path: str) -> int:
        """Open a name that was seen to be a regular file, and look again at what has been opened."""
        if not stat.S_ISREG(kind):
            raise _not_a_file(path)
        descriptor = os.open(name, _FILE, dir_fd=self._directories[-1])
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise _not_a_file(path)
        return descriptor


def _opened(stack: ExitStack, name: str | Path, parent: int | None) -> int:
    flags = _DIRECTORY if parent is not None else _DIRECTORY & ~os.O_NOFOLLOW
    descriptor = os.open(name, flags, dir_fd=parent)
    stack.callback(os.close, descriptor)
    return descriptor


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _ABSENT:
            raise SourceNotFoundError(f"There is no file {_shown(path)} below the files root.") from error
        if error.errno in _REPLACED:
            raise _not_a_file(path) from error
        if error.errno in {errno.EACCES, errno.EPERM}:
            raise SourceForbiddenError(f"The service is not allowed to read {_shown(path)}.") from error
        raise SourceUnreachableError(f"The file {_shown(path)} could not be opened.") from error
    except UnicodeEncodeError as error:
        raise SourceNotFoundError(f"There is no file {_shown(path)} below the files root.") from error


def _leads_out(path: str) -> SourceForbiddenError:
    return SourceForbiddenError(f"The path {_shown(path)} leads out of the files root.")


def _not_a_file(path: str) -> SourceForbiddenError:
    return SourceForbiddenError(f"The path {_shown(path)} names no regular file.")


def _shown(path: str) -> str:
    return repr(path if len(path) <= 80 else path[:80] + "…")
