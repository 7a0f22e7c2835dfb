"""The native core (`native/`, Rust) behind `ctypes`: the same functions as the reference engine, many times as fast."""

import ctypes
import sys
from pathlib import Path
from typing import Any

from service.errors import MalformedJsonError, TooDeepError

LIBRARY = Path(__file__).with_name({"darwin": "_native.dylib", "win32": "_native.dll"}.get(sys.platform, "_native.so"))
ABI_VERSION = 1
DONE, MALFORMED, TOO_DEEP, CANCELLED, MEMORY, UNSUPPORTED, PANICKED = range(7)
INLINE_BYTES = 1 << 14
"""Below this, releasing the interpreter lock costs more than it gives."""


class NativeCoreError(Exception):
    """The core cannot be loaded, or cannot do a call; the reference engine can. The message says why."""


class _Reply(ctypes.Structure):
    _fields_ = (
        ("handle", ctypes.c_void_p),
        ("data", ctypes.c_void_p),
        ("length", ctypes.c_size_t),
        ("pointer", ctypes.c_void_p),
        ("pointer_length", ctypes.c_size_t),
        ("line", ctypes.c_size_t),
        ("column", ctypes.c_size_t),
        ("input", ctypes.c_size_t),
    )


class NativeCore:
    """The loaded library. Its calls are safe from any number of threads."""

    def __init__(self, library: Path = LIBRARY) -> None:
        try:
            # The same library twice: calls through `held` keep the interpreter lock, calls through `free` release it.
            self._held, self._free = ctypes.PyDLL(str(library)), ctypes.CDLL(str(library))
            version = self._held.patchbay_version()
        except (OSError, AttributeError) as exc:
            raise NativeCoreError("the library is not built or cannot be loaded") from exc
        if version != ABI_VERSION:
            raise NativeCoreError(f"the library has interface {version} instead of {ABI_VERSION}: run `make native`")
        for door in (self._held, self._free):
            door.patchbay_check.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint32, ctypes.c_void_p)
        self._held.patchbay_release.argtypes = (ctypes.c_void_p,)
        self._held.patchbay_release.restype = None
        self._held.patchbay_keep.argtypes = (ctypes.c_size_t,)
        self._held.patchbay_keep.restype = None

    def check(self, text: bytes, max_depth: int) -> None:
        """Refuse what is not acceptable JSON; raises what `values.check` raises."""
        reply = _Reply()
        door = self._held if len(text) < INLINE_BYTES else self._free
        status = door.patchbay_check(text, len(text), max_depth, ctypes.addressof(reply))
        if status != DONE:
            self._refuse(status, reply, max_depth)

    def keep(self, max_bytes: int) -> None:
        """Let each idle set of buffers keep at most that much memory for the next call."""
        self._held.patchbay_keep(max_bytes)

    def _refuse(self, status: int, reply: _Reply, max_depth: int) -> None:
        reason = ctypes.string_at(reply.data, reply.length).decode() if reply.data else ""
        place: dict[str, Any] = {}
        if reply.pointer:
            place["pointer"] = ctypes.string_at(reply.pointer, reply.pointer_length).decode(errors="replace")
        self._held.patchbay_release(reply.handle)
        if status == MALFORMED:
            line, column = reply.line, reply.column
            detail = f"Not valid JSON at line {line}, column {column}: {reason}."
            raise MalformedJsonError(detail, line=line, column=column, **place)
        if status == TOO_DEEP:
            detail = f"The document is nested deeper than {max_depth} levels."
            raise TooDeepError(detail, **place, limit="max_depth", maximum=max_depth)
        raise NativeCoreError({MEMORY: "out of memory", UNSUPPORTED: "not supported"}.get(status, "internal fault"))
