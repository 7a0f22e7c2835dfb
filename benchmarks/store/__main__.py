"""`make bench-store`: clinics read and patched; service, load and database on one core. Writes RESULTS.md here.

python -m benchmarks.store [--seconds 4] [--rounds 3] [--only patchbay,plain]   (with --only nothing is written)
"""

import argparse
import http.client
import json
import math
import os
import random
import statistics
from collections.abc import Callable
from pathlib import Path

import uvloop

from benchmarks import chart
from benchmarks.store import direct, report, servers
from benchmarks.store.load import Tally, measure, request

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


def rfc6902(name: str) -> tuple[bytes, str]:
    return json.dumps([{"op": "replace", "path": "/name", "value": name}]).encode(), JSON_PATCH


def members(name: str) -> tuple[bytes, str]:
    return json.dumps({"name": name}).encode(), "application/json"


SERVERS: dict[str, tuple[Callable, str, Callable[[str], tuple[bytes, str]]]] = {
    report.PATCHBAY: (servers.patchbay, "/v1/clinic", rfc6902),
    report.PLAIN: (servers.plain, "/v1/clinic", rfc6902),
    report.EVE: (servers.eve, "/clinic", members),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # children inherit it
    busy = [os.getloadavg()[0]]
    wanted = arguments.only.split(",")
    alone: dict[str, dict[str, list[float]]] = {}
    over_http: dict[str, dict[str, list[report.Measured]]] = {}
    for _ in range(arguments.rounds):
        if not arguments.only:
            for name, cases in direct.run(CLINIC, arguments.seconds / 2).items():
                for case, figure in cases.items():
                    alone.setdefault(name, {}).setdefault(case, []).append(figure)
        for name, (start, path, patch) in SERVERS.items():
            if not any(each in name.lower() for each in wanted):
                continue
            with start() as port:
                for case, measured in uvloop.run(load(port, path, patch, arguments.seconds)).items():
                    over_http.setdefault(name, {}).setdefault(case, []).append(measured)
                    print(f"{name}: {case}: {measured}", flush=True)
    busy.append(os.getloadavg()[0])
    medians = {name: {case: middle(each) for case, each in cases.items()} for name, cases in over_http.items()}
    if arguments.only:
        print(report.table(medians))
        return
    store = {name: {case: statistics.median(each) for case, each in cases.items()} for name, cases in alone.items()}
    (HERE / "RESULTS.md").write_text(report.write(store, medians, busy, arguments.rounds, arguments.seconds))
    title = "Requests per second of CPU (service, load and database together)"
    rates = {
        report.SHORT[case]: {name: medians[name][case].per_cpu_second for name in medians} for case in report.CASES
    }
    (HERE / "rates.svg").write_text(chart.draw(title, "/s", rates))
    print((HERE / "RESULTS.md").read_text())


async def load(
    port: int, path: str, patch: Callable[[str], tuple[bytes, str]], seconds: float
) -> dict[str, report.Measured]:
    ids = create(port, path)
    reads = [request("GET", f"{path}/{each}") for each in ids]
    count = 0

    def patching(choose: Callable[[], str]) -> Callable[[], bytes]:
        def make() -> bytes:
            nonlocal count
            count += 1
            return request("PATCH", f"{path}/{choose()}", *patch(f"Clinic {count}"))

        return make

    cases = {
        report.GET: (32, lambda: random.choice(reads)),
        report.PATCH: (32, patching(lambda: random.choice(ids))),
        report.ONE: (100, patching(lambda: ids[0])),
    }
    return {
        name: summarize(await measure(("127.0.0.1", port), connections, make_request, seconds))
        for name, (connections, make_request) in cases.items()
    }


def summarize(tally: Tally) -> report.Measured:
    count = len(tally.times)
    return report.Measured(
        per_cpu_second=count / tally.cpu.total,
        per_second=count / tally.seconds,
        service_us=tally.cpu.service / count * 1e6,
        database_us=tally.cpu.database / count * 1e6,
        load_us=tally.cpu.load / count * 1e6,
        p99_ms=sorted(tally.times)[math.ceil(count * 0.99) - 1] * 1000,
    )


def middle(rounds: list[report.Measured]) -> report.Measured:
    """The median of each figure on its own."""
    return report.Measured(*(statistics.median(figures) for figures in zip(*rounds, strict=True)))


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
