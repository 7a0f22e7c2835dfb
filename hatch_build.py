"""Build hook: a wheel carries the native diff core where cargo can build it, and is pure Python where it cannot."""

import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class NativeCoreHook(BuildHookInterface[Any]):
    """Builds the core and adds it to the wheel. An editable install leaves that to `make native`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the library to the wheel, and the platform to its tag."""
        if version == "editable":
            return
        sys.path.insert(0, str(Path(self.root) / "native"))
        from build import build  # noqa: PLC0415 - found only through the line above

        library = build()
        if library is not None:
            build_data["force_include"][str(library)] = f"service/core/{library.name}"
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
