"""`make bench-store`: clinics read and patched; service, load and database on one core. Writes RESULTS.md here.

python -m benchmarks.store [--seconds 2] [--rounds 9] [--only patchbay,plain]   (with --only nothing is written)
"""

import argparse
import contextlib
import http.client
import itertools
import json
import math
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import uvloop

from benchmarks import chart
from benchmarks.store import direct, report, servers
from benchmarks.store.cpu import Usage, children, usage
from benchmarks.store.load import Tally, load, request

HERE = Path(__file__).parent
CLINIC = {
    "name": "Foot clinic",
    "description": "Everything from the ankle down, by appointment or by walking in.",
    "phone": [{"value": f"514555{n:04}", "use": "main", "system": "phone", "extension": None} for n in range(3)],
    "email": [{"value": "front.desk@example.org", "use": "work", "system": "email"}],
    "address": [{"line": "1 Main Street", "city": "Montreal", "postalCode": "H1H 1H1", "country": "CA"}],
    "openingHours": [{"day": day, "from": "09:00", "to": "17:00"} for day in ("mon", "tue", "wed", "thu", "fri")],
    "languages": ["en", "fr"],
    "acceptsNewPatients": True,
}
CLINICS = 1000
JSON_PATCH = "application/json-patch+json"
_LOOK_S = 0.25
_AT_REST = 0.2
_LONGEST_REST_S = 30.0
Choice = TypeVar("Choice")


def rfc6902(name: str) -> tuple[bytes, str]:
    return json.dumps([{"op": "replace", "path": "/name", "value": name}]).encode(), JSON_PATCH


def members(name: str) -> tuple[bytes, str]:
    return json.dumps({"name": name}).encode(), "application/json"


SERVERS: dict[str, tuple[Callable, str, Callable[[str], tuple[bytes, str]]]] = {
    report.PATCHBAY: (servers.patchbay, "/v1/clinic", rfc6902),
    report.PLAIN: (servers.plain, "/v1/clinic", rfc6902),
    report.EVE: (servers.eve, "/clinic", members),
}


class Contender:
    """A server that runs, its clinics, and the slices of time in which it was loaded."""

    def __init__(self, name: str, stack: contextlib.ExitStack) -> None:
        start, path, patch = SERVERS[name]
        self.name = name
        others = children()
        port = stack.enter_context(start())
        self._processes = children() - others
        self._address = ("127.0.0.1", port)
        ids = create(port, path)
        reads = [request("GET", f"{path}/{each}") for each in ids]
        numbers = itertools.count(1)

        def patching(chosen: Iterator[str]) -> Callable[[], bytes]:
            return lambda: request("PATCH", f"{path}/{next(chosen)}", *patch(f"Clinic {next(numbers)}"))

        self._cases: dict[str, tuple[int, Callable[[], bytes]]] = {
            report.GET: (32, partial(next, at_random(reads))),
            report.PATCH: (32, patching(at_random(ids))),
            report.ONE: (100, patching(itertools.repeat(ids[0]))),
        }
        self.measured: dict[str, list[report.Measured]] = {}
        self._slice: tuple[str, Tally, Usage, float] | None = None

    def load(self, case: str, seconds: float) -> None:
        """Load the server for a while. What it does about that until it is loaded again counts to this slice."""
        self.settle()
        began = usage(self._processes)
        tally = uvloop.run(load(self._address, *self._cases[case], seconds))
        self._slice = case, tally, began, usage(self._processes).load - began.load
        self._come_to_rest()

    def _come_to_rest(self) -> None:
        """Wait until nothing of the load is left: requests whose clients have gone would go on beside the next."""
        deadline = time.monotonic() + _LONGEST_REST_S
        before = usage(self._processes)
        while time.monotonic() < deadline:
            time.sleep(_LOOK_S)
            after = usage(self._processes)
            if (after - before).total < _LOOK_S * _AT_REST:
                break
            before = after

    def settle(self) -> None:
        """End the slice, if there is one."""
        if self._slice is None:
            return
        case, tally, began, load_s = self._slice
        spent = (usage(self._processes) - began)._replace(load=load_s)
        self.measured.setdefault(case, []).append(summarize(tally, spent))
        print(f"{self.name}: {case}: {self.measured[case][-1]}", flush=True)
        self._slice = None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # children inherit it
    busy = [os.getloadavg()[0]]
    wanted = arguments.only.split(",")
    over_http = measure([name for name in SERVERS if any(each in name.lower() for each in wanted)], arguments)
    if arguments.only:
        print(report.table(over_http))
        return
    alone: dict[str, dict[str, list[float]]] = {}
    for _ in range(3):
        for name, cases in direct.run(CLINIC, arguments.seconds).items():
            for case, figure in cases.items():
                alone.setdefault(name, {}).setdefault(case, []).append(figure)
    busy.append(os.getloadavg()[0])
    store = {name: {case: statistics.median(each) for case, each in cases.items()} for name, cases in alone.items()}
    (HERE / "RESULTS.md").write_text(report.write(store, over_http, busy, arguments.rounds, arguments.seconds))
    title = "Requests per second of CPU (service, load and database together)"
    rates = {
        report.SHORT[case]: {name: report.middle(each[case]).per_cpu_second for name, each in over_http.items()}
        for case in report.CASES
    }
    (HERE / "rates.svg").write_text(chart.draw(title, "/s", rates))
    print((HERE / "RESULTS.md").read_text())


def measure(names: list[str], arguments: argparse.Namespace) -> report.Figures:
    """Load all servers in turn, slice by slice: a machine that slows down does so for everybody.

    Reads come first, all of them: once clinics are patched, what is read has changed since it was read last.
    """
    with contextlib.ExitStack() as stack:
        contenders = [Contender(name, stack) for name in names]
        for case in report.CASES:
            for _ in range(arguments.rounds + 1):
                for each in contenders:
                    each.load(case, arguments.seconds)
            for each in contenders:
                each.settle()
        return {
            each.name: {case: slices[1:] for case, slices in each.measured.items()} for each in contenders
        }  # the first slice of a case warms up


def summarize(tally: Tally, cpu: Usage) -> report.Measured:
    count = len(tally.times)
    return report.Measured(
        per_cpu_second=count / cpu.total,
        per_second=count / tally.seconds,
        service_us=cpu.service / count * 1e6,
        database_us=cpu.database / count * 1e6,
        load_us=cpu.load / count * 1e6,
        p99_ms=sorted(tally.times)[math.ceil(count * 0.99) - 1] * 1000,
    )


def at_random(choices: Sequence[Choice]) -> Iterator[Choice]:
    """Give one of them at a time, for ever; drawn beforehand, as dice are dear."""
    return itertools.cycle(random.choices(choices, k=100_000))


def create(port: int, path: str) -> list[str]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    ids = []
    for _ in range(CLINICS):
        connection.request("POST", path, json.dumps(CLINIC), {"Content-Type": "application/json"})
        made = json.loads(connection.getresponse().read())
        ids.append(made["id"] if "id" in made else made["_id"])
    return ids


if __name__ == "__main__":
    main()
