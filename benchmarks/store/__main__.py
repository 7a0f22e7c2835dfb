"""`make bench-store`: clinics read and patched; service, load and database on one core.

python -m benchmarks.store [--seconds 5] [--rounds 3] [--only patchbay,plain]
"""

import argparse
import asyncio
import http.client
import json
import os
import random
import statistics
from collections.abc import Callable

from benchmarks.store import direct, servers
from benchmarks.store.load import measure, request

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
    "patchbay": (servers.patchbay, "/v1/clinic", rfc6902),
    "plain aiohttp + motor": (servers.plain, "/v1/clinic", rfc6902),
    "python-eve 2.3": (servers.eve, "/clinic", members),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # children inherit it
    print("Without HTTP, 32 callers, calls per second of CPU:\n")
    alone: dict[str, dict[str, list[float]]] = {}
    for _ in range(arguments.rounds):
        for name, cases in direct.run(CLINIC, arguments.seconds).items():
            for case, figure in cases.items():
                alone.setdefault(name, {}).setdefault(case, []).append(figure)
    report(alone)
    print("\nOver HTTP:\n")
    figures: dict[str, dict[str, list[float]]] = {}
    for _ in range(arguments.rounds):
        for name, (start, path, patch) in SERVERS.items():
            if arguments.only and not any(each in name for each in arguments.only.split(",")):
                continue
            with start() as port:
                for case, figure in asyncio.run(load(port, path, patch, arguments.seconds)).items():
                    figures.setdefault(name, {}).setdefault(case, []).append(figure)
    if figures:
        report(figures)


async def load(port: int, path: str, patch: Callable, seconds: float) -> dict[str, float]:
    ids = create(port, path)
    count = 0

    def patching(choose: Callable[[], str]) -> Callable[[], bytes]:
        def make() -> bytes:
            nonlocal count
            count += 1
            return request("PATCH", f"{path}/{choose()}", *patch(f"Clinic {count}"))

        return make

    cases = {
        "GET, 32 connections": (32, lambda: request("GET", f"{path}/{random.choice(ids)}")),
        "PATCH, 32 connections": (32, patching(lambda: random.choice(ids))),
        "PATCH of one document, 100 connections": (100, patching(lambda: ids[0])),
    }
    figures = {}
    for name, (connections, make_request) in cases.items():
        tally = await measure(("127.0.0.1", port), connections, make_request, seconds)
        figures[name] = len(tally.times) / seconds
        figures[f"{name}: per second of CPU"] = len(tally.times) / tally.cpu_seconds
        figures[f"{name}: p99 ms"] = statistics.quantiles(tally.times, n=100)[98] * 1000
    return figures


def create(port: int, path: str) -> list[str]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    ids = []
    for _ in range(CLINICS):
        connection.request("POST", path, json.dumps(CLINIC), {"Content-Type": "application/json"})
        made = json.loads(connection.getresponse().read())
        ids.append(made["id"] if "id" in made else made["_id"])
    return ids


def report(figures: dict[str, dict[str, list[float]]]) -> None:
    names = list(figures)
    print(f"| {' | '.join(['per second', *names])} |\n|{'---|' * (len(names) + 1)}")
    for case in figures[names[0]]:
        medians = [statistics.median(figures[name][case]) for name in names]
        shown = [f"{median:.0f}" for median in medians]
        if "p99" not in case:
            shown[1:] = [
                f"{text} (1/{medians[0] / median:.1f})" for text, median in zip(shown[1:], medians[1:], strict=True)
            ]
        print(f"| {' | '.join([case, *shown])} |")


if __name__ == "__main__":
    main()
