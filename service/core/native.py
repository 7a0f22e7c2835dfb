"""The native core (`native/`, Rust) behind `ctypes`: the same functions as the reference engine, many times as fast."""

import ctypes
import sys
from pathlib import Path
from typing import Any, NoReturn

from service.core.diff import Outcome
from service.core.options import DEFAULT, DiffOptions
from service.core.packing import pack
from service.errors import MalformedJsonError, TooComplexError, TooDeepError

LIBRARY = Path(__file__).with_name({"darwin": "_native.dylib", "win32": "_native.dll"}.get(sys.platform, "_native.so"))
ABI_VERSION = 1
DONE, MALFORMED, TOO_DEEP, CANCELLED, MEMORY, UNSUPPORTED, PANICKED = range(7)
INLINE_BYTES = 1 << 14
"""Below this, releasing the interpreter lock costs more than it gives."""

_FAULTS = {MEMORY: "out of memory", UNSUPPORTED: "a call that the core cannot do", PANICKED: "a fault of the core"}


class NativeCoreError(Exception):
    """The core cannot be loaded, or cannot do a call; the reference engine can. The message says why."""


class Cancellation:
    """Stops a comparison that another thread is at."""

    def __init__(self) -> None:
        self._flag = ctypes.c_uint8(0)
        self.address = ctypes.addressof(self._flag)

    def cancel(self) -> None:
        """Make the comparison raise `TooComplexError` within milliseconds."""
        self._flag.value = 1


class _Reply(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("handle", "data", "pointer")] + [
        (name, ctypes.c_size_t) for name in ("length", "pointer_length", "line", "column", "input", "bounded")
    ]


class NativeCore:
    """The loaded library. Its calls are safe from any number of threads."""

    def __init__(self, library: Path = LIBRARY) -> None:
        try:
            # The same library twice: calls through `held` keep the interpreter lock, calls through `free` release it.
            held, free = ctypes.PyDLL(str(library)), ctypes.CDLL(str(library))
            version = held.patchbay_version()
        except (OSError, AttributeError) as exc:
            raise NativeCoreError("the library is not built or cannot be loaded") from exc
        if version != ABI_VERSION:
            raise NativeCoreError(f"the library has interface {version} instead of {ABI_VERSION}: run `make native`")
        text, place = (ctypes.c_char_p, ctypes.c_size_t), ctypes.c_void_p
        for door in (held, free):
            door.patchbay_check.argtypes = (*text, ctypes.c_uint32, place)
            door.patchbay_compare.argtypes = (*text, *text, *text, place, place)
        held.patchbay_release.argtypes = (place,)
        held.patchbay_keep.argtypes = (ctypes.c_size_t,)
        self._compare = (free.patchbay_compare, held.patchbay_compare)
        self._check = (free.patchbay_check, held.patchbay_check)
        self._release, self._keep = held.patchbay_release, held.patchbay_keep
        self._packed = (DEFAULT, pack(DEFAULT))

    def compare_bytes(
        self, before: bytes, after: bytes, options: DiffOptions = DEFAULT, cancellation: Cancellation | None = None
    ) -> Outcome:
        """Compare two JSON texts; raises what `diff.compare_bytes` raises, and `TooComplexError` when cancelled."""
        known, packed = self._packed
        if known is not options:
            packed = pack(options)
            self._packed = (options, packed)
        reply = _Reply()
        call = self._compare[len(before) + len(after) < INLINE_BYTES]
        flag = None if cancellation is None else cancellation.address
        status = call(before, len(before), after, len(after), packed, len(packed), flag, ctypes.addressof(reply))
        if status != DONE:
            self._refuse(status, reply, options.max_depth, input=("before", "after")[reply.input])
        patch = ctypes.string_at(reply.data, reply.length)
        self._release(reply.handle)
        return Outcome(patch, bounded=bool(reply.bounded))

    def check(self, text: bytes, max_depth: int) -> None:
        """Refuse what is not acceptable JSON; raises what `values.check` raises."""
        reply = _Reply()
        status = self._check[len(text) < INLINE_BYTES](text, len(text), max_depth, ctypes.addressof(reply))
        if status != DONE:
            self._refuse(status, reply, max_depth)

    def keep(self, max_bytes: int) -> None:
        """Let each idle set of buffers keep at most that much memory for the next call."""
        self._keep(max_bytes)

    def _refuse(self, status: int, reply: _Reply, max_depth: int, **facts: Any) -> NoReturn:
        reason = ctypes.string_at(reply.data, reply.length).decode() if reply.data else ""
        if reply.pointer:
            facts["pointer"] = ctypes.string_at(reply.pointer, reply.pointer_length).decode(errors="replace")
        self._release(reply.handle)
        if status == MALFORMED:
            line, column = reply.line, reply.column
            detail = f"Not valid JSON at line {line}, column {column}: {reason}."
            raise MalformedJsonError(detail, line=line, column=column, **facts)
        if status == TOO_DEEP:
            detail = f"The document is nested deeper than {max_depth} levels."
            raise TooDeepError(detail, **facts, limit="max_depth", maximum=max_depth)
        if status == CANCELLED:
            raise TooComplexError("The comparison was stopped before it ended. Compare smaller documents, or parts.")
        raise NativeCoreError(_FAULTS[status])
