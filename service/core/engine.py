"""The one place that chooses the diff engine: the native core where it was built, else the Python reference."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from service.core import diff, values
from service.core.diff import Outcome
from service.core.native import Cancellation, NativeCore
from service.core.options import DEFAULT, DiffOptions
from service.core.reply import NativeCoreError

Preference = Literal["auto", "native", "python"]
KEEP_BYTES = 128 * 1024 * 1024
__all__ = ["KEEP_BYTES", "BothWays", "Cancellation", "Engine", "EngineMissingError", "Preference", "choose"]


class EngineMissingError(RuntimeError):
    """The native core was asked for and is not there; the message says what to do."""


class BothWays(NamedTuple):
    """A patch and the patch that undoes it, as UTF-8 JSON."""

    patch: bytes
    inverse: bytes


class Engine:
    """An engine by name. `on_fallback` is told of each call that the native core leaves to the reference."""

    def __init__(self, core: NativeCore | None, on_fallback: Callable[[], object] = lambda: None) -> None:
        self._core = core
        self._on_fallback = on_fallback
        self.name: Literal["native", "python"] = "python" if core is None else "native"
        self.releases_lock = core is not None

    def compare_bytes(
        self, before: bytes, after: bytes, options: DiffOptions = DEFAULT, cancellation: Cancellation | None = None
    ) -> Outcome:
        """Compare two JSON texts; see `diff.compare_bytes`. The reference cannot be cancelled."""
        if self._core is not None:
            try:
                return self._core.compare_bytes(before, after, options, cancellation)
            except NativeCoreError:
                self._on_fallback()
        return diff.compare_bytes(before, after, options)

    def compare_both_ways(self, before: bytes, after: bytes) -> BothWays:
        """Compare two JSON texts, without options, and give the way back too."""
        if self._core is not None:
            try:
                outcome, inverse = self._core.compare_both_ways(before, after)
                return BothWays(outcome.patch, inverse)
            except NativeCoreError:
                self._on_fallback()
        return BothWays(diff.compare_bytes(before, after).patch, diff.compare_bytes(after, before).patch)

    def check(self, text: bytes, max_depth: int) -> None:
        """Refuse a text that is not acceptable JSON; see `values.check`."""
        if self._core is not None:
            try:
                return self._core.check(text, max_depth)
            except NativeCoreError:
                self._on_fallback()
        return values.check(text, max_depth)


def choose(
    preference: Preference, *, keep_bytes: int = KEEP_BYTES, on_fallback: Callable[[], object] = lambda: None
) -> Engine:
    """Load the engine that the settings ask for; `auto` takes the native core where it was built.

    `keep_bytes` bounds the memory that idle buffers of the core may keep, all together.
    """
    if preference == "python":
        return Engine(None)
    try:
        core = NativeCore()
        core.keep(keep_bytes)
        return Engine(core, on_fallback)
    except NativeCoreError as exc:
        if preference == "native":
            detail = f"PATCHBAY_ENGINE is native, but {exc}. Install Rust (cargo) and run `make native`, or use `auto`."
            raise EngineMissingError(detail) from exc
        return Engine(None)
