"""Standard output, which may be closed, full, unable to show a character, or no longer read."""

import io
import os
import sys

from service.errors import StartError

_STANDARD_ERROR = 2


def prepare(*, needed: bool) -> None:
    """See that text can be written to standard output; raise `StartError` where it is closed though `needed`."""
    # What is closed of the three is filled: else a socket would take its number, and the event loop end the process.
    while (spare := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        pass
    os.close(spare)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names and paths may hold what the locale has not
    elif needed:
        raise StartError("standard output is closed: send it to a file, a pipe, or /dev/null.")


def discard() -> None:
    """Give up what was not written: at the end Python would try once more, and fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
