"""RESULTS.md, made of the figures alone: tables, aims, and whether they are met."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

PATCHBAY, PLAIN, EVE = "Patchbay", "Plain aiohttp + motor", "Python-eve"
GET = "GET, 32 connections"
PATCH = "PATCH, 32 connections"
ONE = "PATCH of one document, 100 connections"
CASES = (GET, PATCH, ONE)
SHORT = {GET: "GET", PATCH: "PATCH", ONE: "PATCH of one"}
AIMS = (
    ("12 times python-eve's GET", 12, (PATCHBAY, GET), (EVE, GET)),
    ("6 times python-eve's PATCH", 6, (PATCHBAY, PATCH), (EVE, PATCH)),
    ("3 times the plain version's GET", 3, (PATCHBAY, GET), (PLAIN, GET)),
    ("3 times the plain version's PATCH", 3, (PATCHBAY, PATCH), (PLAIN, PATCH)),
    ("100 clients patching one document not slower than 32 patching many", 1, (PATCHBAY, ONE), (PATCHBAY, PATCH)),
)
_REQUIREMENTS = Path(__file__).with_name("requirements.txt")


class Measured(NamedTuple):
    """What one case came to."""

    per_cpu_second: float
    per_second: float
    service_us: float
    database_us: float
    load_us: float
    p99_ms: float


Figures = dict[str, dict[str, Measured]]


def write(
    store: dict[str, dict[str, float]], over_http: Figures, busy: list[float], rounds: int, seconds: float
) -> str:
    peers = ", ".join(line.replace("==", " ") for line in _REQUIREMENTS.read_text().split())
    own = ", ".join(f"{name} {version(name)}" for name in ("aiohttp", "uvloop", "motor", "pymongo"))
    return f"""# Stored resources against the alternatives

Made by `make bench-store`, all of it: clinics of about 1 KB, 1,000 of them; load, service and database on one core of
{os.cpu_count()} ({platform.machine()}, Python {platform.python_version()}, {own}); a MongoDB with the service's own
settings for everybody, `w: majority` everywhere. Contenders take turns: {rounds} rounds of {seconds:g} s for each case,
the median of the rounds is shown. The load average of the machine was {busy[0]:.1f} before and {busy[1]:.1f} after (it
comes to about 1 by the measurement itself): what counts is the CPU time that load, service and database take together,
but a machine that is shared makes that longer, too. Trust the ratios.

The load generator (`load.py`) keeps one request under way on each connection and checks every status. The plain
version (`plain.py`) awaits one database call after the other and keeps no history; python-eve ({peers}) runs with
2 workers of 8 threads, without `If-Match`. Nobody writes a log line for each request: Patchbay runs with
`PATCHBAY_LOG_LEVEL=warning`.
The same 1,000 clinics are read over and over: Patchbay asks the database each time which version
stands, and reads the content of a version once.

## Over HTTP

![Requests per second of CPU](rates.svg)

{table(over_http)}

Microseconds of CPU for one request, by who spends them:

{stages(over_http)}

## Aims

{aims(over_http)}

## Without HTTP

32 callers of the store, calls per second of CPU of driver and database together:

{plain_table(store)}
"""


def table(figures: Figures) -> str:
    """Requests per second of CPU, and what that is of Patchbay's; then what was seen on the clock."""
    lines = _head("per second of CPU", figures)
    for case in CASES:
        best = figures.get(PATCHBAY, {}).get(case)
        cells = [
            f"{found[case].per_cpu_second:,.0f}"
            + (f" (1/{best.per_cpu_second / found[case].per_cpu_second:.1f})" if best and name != PATCHBAY else "")
            for name, found in figures.items()
        ]
        lines.append(_row(case, cells))
    for case in CASES:
        cells = [f"{each[case].per_second:,.0f}/s, {each[case].p99_ms:.0f} ms" for each in figures.values()]
        lines.append(_row(f"{case}: on the clock, p99", cells))
    return "\n".join(lines)


def stages(figures: Figures) -> str:
    lines = _head("service + database + load", figures)
    for case in CASES:
        cells = [
            f"{each[case].service_us:,.0f} + {each[case].database_us:,.0f} + {each[case].load_us:,.0f}"
            for each in figures.values()
        ]
        lines.append(_row(case, cells))
    return "\n".join(lines)


def aims(figures: Figures) -> str:
    lines = ["| Aim | Measured | |", "|---|---|---|"]
    for aim, factor, (ours, our_case), (theirs, their_case) in AIMS:
        ratio = figures[ours][our_case].per_cpu_second / figures[theirs][their_case].per_cpu_second
        lines.append(_row(aim, [f"{ratio:.1f} times", "met" if ratio >= factor else "**missed**"]))
    return "\n".join(lines)


def plain_table(store: dict[str, dict[str, float]]) -> str:
    names = list(store)
    lines = [_row("calls per second of CPU", names), "|---" * (1 + len(names)) + "|"]
    for case, best in store[names[0]].items():
        cells = [
            f"{best:,.0f}",
            *(f"{store[name][case]:,.0f} (1/{best / store[name][case]:.1f})" for name in names[1:]),
        ]
        lines.append(_row(case, cells))
    return "\n".join(lines)


def _head(first: str, figures: Figures) -> list[str]:
    return [_row(first, list(figures)), "|---" * (1 + len(figures)) + "|"]


def _row(first: str, cells: list[str]) -> str:
    return f"| {' | '.join([first, *cells])} |"
