"""CPU time by who spent it: the load generator (this process), the database, and the service (all others)."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Self

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _SYSTEM = 1, 11, 12
"""Where these stand behind the name in /proc/<pid>/stat; see proc(5)."""


class Usage(NamedTuple):
    """Seconds of CPU."""

    service: float = 0.0
    database: float = 0.0
    load: float = 0.0

    @property
    def total(self) -> float:
        """All of them together: what counts."""
        return self.service + self.database + self.load

    def __sub__(self, earlier: Self) -> "Usage":
        return Usage(*(now - then for now, then in zip(self, earlier, strict=True)))


def usage(roots: Iterable[int] = ()) -> Usage:
    """Read what this process and all that came of it, or of `roots` alone, have spent until now."""
    stats = dict(_read_stats())
    family = set(roots) or {os.getpid()}
    while grown := {pid for pid, (_, parent, _) in stats.items() if parent in family} - family:
        family |= grown
    spent = {"service": 0.0, "database": 0.0, "load": 0.0}
    for pid in (family | {os.getpid()}) & stats.keys():
        name, _, seconds = stats[pid]
        spent["load" if pid == os.getpid() else "database" if name == "mongod" else "service"] += seconds
    return Usage(**spent)


def children() -> set[int]:
    """Give the processes that this one has started and that still run."""
    return {pid for pid, (_, parent, _) in _read_stats() if parent == os.getpid()}


def _read_stats():
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended
            name, _, rest = path.read_text().partition("(")[2].rpartition(")")
            fields = rest.split()
            yield (
                int(path.parent.name),
                (name, int(fields[_PARENT]), (int(fields[_USER]) + int(fields[_SYSTEM])) * _TICK_S),
            )
