"""Undoing a content encoding in pieces of bounded size, so that whoever reads can stop before it is too much."""

import zlib
from collections.abc import Iterator

PIECE = 256 * 1024
_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 15}

ENCODINGS = ("identity", *_WINDOW)


class InflateError(ValueError):
    """Compressed data that is damaged or ends early."""


class Inflater:
    """Inflates one body, given chunk by chunk. `encoding` is one of `ENCODINGS`."""

    def __init__(self, encoding: str) -> None:
        self._window = _WINDOW.get(encoding)
        self._stream = None if self._window is None else zlib.decompressobj(self._window)
        self._has_begun = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what the chunk inflates to, at most `PIECE` bytes at a time, made only as it is asked for.

        >>> import gzip
        >>> b"".join(Inflater("gzip").feed(gzip.compress(b"abc") + gzip.compress(b"def")))
        b'abcdef'
        """
        if self._stream is None:
            yield chunk
            return
        while chunk:
            if self._stream.eof:  # another member of a gzip file (RFC 1952, section 2.2)
                self._stream = zlib.decompressobj(self._window or 0)
            self._has_begun = True
            try:
                piece = self._stream.decompress(chunk, PIECE)
            except zlib.error as error:
                raise InflateError("the compressed data is damaged") from error
            chunk = self._stream.unconsumed_tail or self._stream.unused_data
            yield piece

    def finish(self) -> None:
        """Raise `InflateError` unless the data came to its end."""
        if self._stream is not None and self._has_begun and not self._stream.eof:
            raise InflateError("the compressed data ends early")
