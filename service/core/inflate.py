"""Undoing a content encoding piece by piece, so that no bomb is ever held whole. Knows no request and no answer."""

import zlib
from collections.abc import Iterator

from service.errors import UnsupportedMediaTypeError

ENCODINGS = ("gzip", "deflate")
PIECE_BYTES = 256 * 1024
"""No more than this comes out at once."""

_GZIP = 31
_ZLIB = 15
_RAW_DEFLATE = -15


class BrokenEncodingError(ValueError):
    """The bytes are not what their encoding says, or end early."""


class Inflater:
    """Undoes one content encoding: gzip (also of several members), deflate (with or without its zlib header), or none.

    Raises `UnsupportedMediaTypeError` for any other.

    >>> import gzip
    >>> b"".join(Inflater("gzip").feed(gzip.compress(b"abc") + gzip.compress(b"def")))
    b'abcdef'
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding.strip().lower().removeprefix("x-")
        if self._encoding not in ("", "identity", *ENCODINGS):
            raise UnsupportedMediaTypeError(
                f"Content-Encoding {encoding[:60]!r} is not understood; these are: {', '.join(ENCODINGS)}.",
                field="Content-Encoding",
            )
        self._inflate: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what `data` adds, in pieces made only as they are asked for; raise `BrokenEncodingError`."""
        if self._encoding in ("", "identity"):
            yield data
            return
        try:
            while data:
                if self._inflate is None:
                    self._inflate = zlib.decompressobj(self._window(data))
                yield self._inflate.decompress(data, PIECE_BYTES)
                data = self._inflate.unconsumed_tail
                if self._inflate.eof:  # what follows in gzip is a further member (RFC 1952, section 2.2)
                    data, self._inflate = self._inflate.unused_data, None
        except zlib.error as error:
            raise BrokenEncodingError(f"the {self._encoding} data is broken") from error

    def end(self) -> None:
        """Raise `BrokenEncodingError` unless what came was whole."""
        if self._inflate is not None:
            raise BrokenEncodingError(f"the {self._encoding} data ends early")

    def _window(self, data: bytes) -> int:
        if self._encoding == "gzip":
            return _GZIP
        return _ZLIB if data[0] & 0x0F == zlib.DEFLATED else _RAW_DEFLATE
