"""RESULTS.md, made of the figures alone: tables, aims, and whether they are met."""

import os
import platform
import statistics
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


Figures = dict[str, dict[str, list[Measured]]]
"""By contender and case, the slices in turn."""


def middle(slices: list[Measured]) -> Measured:
    """Give the median of each figure on its own."""
    return Measured(*(statistics.median(figures) for figures in zip(*slices, strict=True)))


def ratio(ours: list[Measured], theirs: list[Measured]) -> float:
    """Compare requests per second of CPU slice by slice, as they came one after the other; give the median."""
    return statistics.median(one.per_cpu_second / other.per_cpu_second for one, other in zip(ours, theirs, strict=True))


def write(
    store: dict[str, dict[str, float]], over_http: Figures, busy: list[float], rounds: int, seconds: float
) -> str:
    peers = ", ".join(line.replace("==", " ") for line in _REQUIREMENTS.read_text().split())
    own = ", ".join(f"{name} {version(name)}" for name in ("aiohttp", "uvloop", "motor", "pymongo"))
    return f"""# Stored resources against the alternatives

Made by `make bench-store`, all of it: clinics of about 1 KB, 1,000 of them; load, service and database on one core of
{os.cpu_count()} ({platform.machine()}, Python {platform.python_version()}, {own}); a MongoDB with the service's own
settings for everybody, `w: majority` everywhere. All of them run all the time and are loaded in turn: for each case
{rounds} rounds of {seconds:g} s each, after one to warm up. Medians are shown, and the median of the ratios of a round.
What a service still does when its turn is over counts to its turn. The load average of the machine was {busy[0]:.1f}
before and {busy[1]:.1f} after (it comes to about 1 by the measurement itself): what counts is the CPU time that load,
service and database take together, but a machine that is shared makes that longer, too. Trust the ratios.

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
            f"{middle(found[case]).per_cpu_second:,.0f}"
            + (f" (1/{ratio(best, found[case]):.1f})" if best and name != PATCHBAY else "")
            for name, found in figures.items()
        ]
        lines.append(_row(case, cells))
    for case in CASES:
        seen = [middle(each[case]) for each in figures.values()]
        cells = [f"{each.per_second:,.0f}/s, {each.p99_ms:.0f} ms" for each in seen]
        lines.append(_row(f"{case}: on the clock, p99", cells))
    return "\n".join(lines)


def stages(figures: Figures) -> str:
    lines = _head("service + database + load", figures)
    for case in CASES:
        cells = [
            f"{each.service_us:,.0f} + {each.database_us:,.0f} + {each.load_us:,.0f}"
            for each in (middle(found[case]) for found in figures.values())
        ]
        lines.append(_row(case, cells))
    return "\n".join(lines)


def aims(figures: Figures) -> str:
    lines = ["| Aim | Measured | |", "|---|---|---|"]
    for aim, factor, (ours, our_case), (theirs, their_case) in AIMS:
        times = ratio(figures[ours][our_case], figures[theirs][their_case])
        lines.append(_row(aim, [f"{times:.1f} times", "met" if times >= factor else "**missed**"]))
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
