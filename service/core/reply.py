"""What the native core answers (`native/src/abi.rs`), and the errors that its refusals mean."""

import ctypes
from typing import Any

import msgspec

from service.core import keyed
from service.core.options import DiffOptions
from service.errors import MalformedJsonError, OverloadedError, ServiceError, TooComplexError, TooDeepError

DONE, MALFORMED, TOO_DEEP, CANCELLED, MEMORY, UNSUPPORTED, PANICKED, BAD_KEYS = range(8)
_FAULTS = {UNSUPPORTED: "a call that the core cannot do", PANICKED: "a fault of the core"}
_INPUTS = ("before", "after")


class NativeCoreError(Exception):
    """The core cannot be loaded, or cannot do a call; the reference engine can. The message says why."""


class Reply(ctypes.Structure):
    """Filled by a call; its pointers are good until the handle is released."""

    handle: int | None
    line: int
    column: int
    input: int
    bounded: int

    _fields_ = [(name, ctypes.c_void_p) for name in ("handle", "_data", "_pointer")] + [
        (name, ctypes.c_size_t) for name in ("_length", "_pointer_length", "line", "column", "input", "bounded")
    ]

    def data(self) -> bytes:
        """Give the patch, or the reason of a refusal."""
        return ctypes.string_at(self._data, self._length) if self._data else b""

    def pointer(self) -> bytes | None:
        """Give the patch that leads back, or the pointer of a refusal."""
        return ctypes.string_at(self._pointer, self._pointer_length) if self._pointer else None


def error_of(status: int, reply: Reply, options: DiffOptions, *, names_input: bool) -> ServiceError | NativeCoreError:
    """Give the error that the reference raises in that case."""
    facts: dict[str, Any] = {"input": _INPUTS[reply.input]} if names_input else {}
    pointer = reply.pointer()
    if pointer is not None:
        facts["pointer"] = pointer.decode(errors="replace")
    if status == MALFORMED:
        detail = f"Not valid JSON at line {reply.line}, column {reply.column}: {reply.data().decode()}."
        return MalformedJsonError(detail, line=reply.line, column=reply.column, **facts)
    if status == TOO_DEEP:
        detail = f"The document is nested deeper than {options.max_depth} levels."
        return TooDeepError(detail, **facts, limit="max_depth", maximum=options.max_depth)
    if status == CANCELLED:
        return TooComplexError("The comparison was stopped before it ended. Compare smaller documents, or parts.")
    if status == MEMORY:
        return OverloadedError(
            "There is no memory for this comparison at present. Try again later, or smaller documents."
        )
    if status == BAD_KEYS:
        rule, *faults = msgspec.json.decode(reply.data())
        return keyed.refusal([keyed.fault(*each) for each in faults], options.arrays[rule].keys)
    return NativeCoreError(_FAULTS[status])
