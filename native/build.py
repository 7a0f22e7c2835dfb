"""Build the native diff core where cargo is found; say so where it is not. Never fails an install.

The library goes to `service/core/_native.*`, where `service/core/native.py` looks for it.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CRATE = Path(__file__).resolve().parent
SUFFIX = {"darwin": ".dylib", "win32": ".dll"}.get(sys.platform, ".so")
TARGET = CRATE.parent / "service" / "core" / f"_native{SUFFIX}"
OLDEST_RUST = (1, 63)
TIMEOUT_S = 600


def build() -> Path | None:
    """Build the core and put it in place; None, with a line that says why, where that cannot be done."""
    cargo = shutil.which("cargo")
    if cargo is None:
        return _without("cargo was not found")
    version = _rust_version()
    if version is None or version < OLDEST_RUST:
        return _without(f"rustc is missing or older than {'.'.join(map(str, OLDEST_RUST))}")
    command = [cargo, "build", "--release", "--offline", "--quiet", "--manifest-path", str(CRATE / "Cargo.toml")]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return _without(f"cargo did not finish: {error}")
    if result.returncode != 0:
        return _without(f"cargo failed:\n{result.stderr.strip()}")
    return _put_in_place()


def _rust_version() -> tuple[int, int] | None:
    rustc = shutil.which("rustc")
    if rustc is None:
        return None
    try:
        shown = subprocess.run([rustc, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"rustc (\d+)\.(\d+)", shown.stdout)
    return (int(found[1]), int(found[2])) if found else None


def _put_in_place() -> Path | None:
    folder = Path(os.environ.get("CARGO_TARGET_DIR", CRATE / "target")) / "release"
    built = folder / ("patchbay_native.dll" if sys.platform == "win32" else f"libpatchbay_native{SUFFIX}")
    fresh = TARGET.with_name(f"{TARGET.name}.new")
    try:
        if TARGET.exists() and TARGET.read_bytes() == built.read_bytes():
            return TARGET
        shutil.copyfile(built, fresh)
        fresh.replace(TARGET)  # a running service keeps the file it has open
    except OSError as error:
        return _without(f"the library could not be put in place: {error}")
    print(f"native diff core: built {TARGET.relative_to(CRATE.parent)}")
    return TARGET


def _without(reason: str) -> None:
    kept = ", an earlier build stays in use" if TARGET.exists() else ", the slower Python engine is used"
    print(f"native diff core: not built{kept}: {reason}. With Rust 1.63 or newer, `make native` builds it.")


if __name__ == "__main__":
    build()
