"""The native core (`native/`, Rust) behind `ctypes`: the same functions as the reference engine, many times as fast."""

import ctypes
import sys
from collections.abc import Callable
from pathlib import Path

from service.core import fault
from service.core.diff import Outcome
from service.core.options import DEFAULT, DiffOptions
from service.core.packing import pack
from service.core.reply import DONE, NativeCoreError, Reply, error_of

LIBRARY = Path(__file__).with_name({"darwin": "_native.dylib", "win32": "_native.dll"}.get(sys.platform, "_native.so"))
ABI_VERSION = 5
INLINE_BYTES = 1 << 16
"""Below this (some 0.1 ms of work), releasing the interpreter lock costs more than it gives."""
_NEEDED = ("PyCFunction_NewEx", "PyBytes_FromStringAndSize", "PyBytes_AsStringAndSize")


class Cancellation:
    """Stops a comparison that another thread is at."""

    def __init__(self) -> None:
        self._flag = ctypes.c_uint8(0)
        self.address = ctypes.addressof(self._flag)

    def cancel(self) -> None:
        """Make the comparison raise `TooComplexError` within milliseconds."""
        self._flag.value = 1


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
        self._patch = _builtin(held)
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
        patch = self._patch(before, after, packed)
        if patch:
            return Outcome(patch, False)
        reply = self._called(before, after, packed, options, cancellation)
        outcome = Outcome(reply.data(), bool(reply.bounded))
        self._release(reply.handle)
        return outcome

    def compare_both_ways(
        self, before: bytes, after: bytes, options: DiffOptions = DEFAULT, cancellation: Cancellation | None = None
    ) -> tuple[Outcome, bytes]:
        """Compare like `compare_bytes`; give the patch that undoes the outcome's too, from the same comparison."""
        reply = self._called(before, after, pack(options, wants_inverse=True), options, cancellation)
        outcome, inverse = Outcome(reply.data(), bool(reply.bounded)), reply.pointer() or b""
        self._release(reply.handle)
        return outcome, inverse

    def check(self, text: bytes, max_depth: int) -> None:
        """Refuse what is not acceptable JSON; raises what `values.check` raises."""
        reply = Reply()
        status = self._check[len(text) < INLINE_BYTES](text, len(text), max_depth, ctypes.addressof(reply))
        if status != DONE:
            error = self._error(status, reply, DiffOptions(max_depth=max_depth), names_input=False)
            raise fault.find_encoding(text) or error

    def keep(self, max_bytes: int) -> None:
        """Let idle buffers keep at most that much memory for the next calls, all together."""
        self._keep(max_bytes)

    def _called(
        self, before: bytes, after: bytes, packed: bytes, options: DiffOptions, cancellation: Cancellation | None
    ) -> Reply:
        reply = Reply()
        call = self._compare[len(before) + len(after) < INLINE_BYTES]
        flag = None if cancellation is None else cancellation.address
        place = ctypes.addressof(reply)
        status = call(before, len(before), after, len(after), packed, len(packed), flag, place)
        if status != DONE:
            raise self._error(status, reply, options, names_input=True)
        return reply

    def _error(self, status: int, reply: Reply, options: DiffOptions, *, names_input: bool) -> Exception:
        error = error_of(status, reply, options, names_input=names_input)
        self._release(reply.handle)
        return error


def _builtin(library: ctypes.PyDLL) -> Callable[[bytes, bytes, bytes], bytes]:
    """Give the comparison of small texts as a built-in function, many times as quick to call as through `ctypes`.

    It gives empty bytes where the other way knows more: large texts, a refusal, a bound. The library makes it from
    functions of Python's stable ABI; where they cannot be had (another interpreter), everything goes the other way.
    """
    try:
        places = [ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p) for name in _NEEDED]
    except AttributeError:
        return lambda *_: b""
    library.patchbay_builtin.restype = ctypes.py_object
    function: Callable[[bytes, bytes, bytes], bytes] = library.patchbay_builtin(
        (ctypes.c_void_p * len(places))(*places)
    )
    return function
