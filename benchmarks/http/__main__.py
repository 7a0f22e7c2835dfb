"""`python -m benchmarks.http`: the compare route against services one would write by hand. Writes RESULTS.md here."""

import json
import math
import os
import platform
import statistics
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from benchmarks import chart
from benchmarks.http import documents, servers
from benchmarks.http.servers import GaveUpError, to_text
from tests.unit.core import applier

HERE = Path(__file__).parent
ROUNDS = 3
ROUND_S = 3.0
REQUESTS = {"4 KB": 60, "100 KB": 12, "1 MB": 3, "10 MB": 1}
BESIDE_S = 6.0
SMALL = ({"name": "Foot clinic", "beds": 10}, {"name": "Foot clinic", "beds": 12})


def main():
    servers.install()
    with ExitStack() as stack:
        running = [stack.enter_context(kind()) for kind in (servers.Patchbay, servers.FastApi, servers.Fastify)]
        measured = {shape: _shaped(running, make) for shape, make in documents.SHAPES.items()}
        delays = {each.name: _delays(each) for each in running}
    text = _report(measured, delays)
    (HERE / "RESULTS.md").write_text(text)
    print(text)


def _shaped(running, make):
    """Measure size by size; who is too slow for one is not asked for a larger one."""
    able, by_size = list(running), {}
    for size, count in documents.SIZES.items():
        found = _sized(able, make(count), REQUESTS[size])
        by_size[size] = {each.name: found.get(each.name, ([], None)) for each in running}
        able = [each for each in able if found[each.name][0]]
    return by_size


def _sized(running, pair, count):
    """Ask every service for the same patch, in turn, round by round; who is too slow once is left out."""
    times = {each.name: [] for each in running}
    sizes: dict[str, int | str] = {}
    left = {each: each.body(*pair) for each in running}
    for _ in range(ROUNDS + 1):  # the first warms up, and is checked
        for each, body in list(left.items()):
            connection = each.connect()
            try:
                asked = _ask(each, connection, body, count if each.name in sizes else 1)
            except GaveUpError as error:
                print(f"{each.name}: {error} for {len(body):,} bytes", flush=True)
                times[each.name], sizes[each.name] = [], str(error)
                del left[each]
                each.stop()
                each.start()
                continue
            connection.close()
            if each.name not in sizes:
                _check(each.name, pair, asked[0][1])
                sizes[each.name] = len(asked[0][1])
            else:
                times[each.name].append(statistics.median(seconds for seconds, _ in asked) * 1000)
    print({name: [f"{ms:.2f}" for ms in found] for name, found in times.items()}, flush=True)
    return {name: (found, sizes.get(name)) for name, found in times.items()}


def _ask(server, connection, body, count):
    """Ask so often, or as often as there is time for in a round."""
    asked = [server.ask(connection, body)]
    while len(asked) < count and sum(seconds for seconds, _ in asked) < ROUND_S:
        asked.append(server.ask(connection, body))
    return asked


def _check(name, pair, answer):
    """Apply with an applier that shares no code with anybody."""
    before = json.loads(to_text(pair[0]))
    if not applier.strictly_equal(applier.apply(before, json.loads(answer)), pair[1]):
        raise RuntimeError(f"{name} answers a patch that is wrong")


def _delays(server):
    """Send small requests one after another: alone, and beside a client that keeps comparing 10 MB."""
    alone = _small(server)
    large = server.body(*documents.by_key(documents.SIZES["10 MB"]))
    over, done = threading.Event(), []

    def keep_comparing():
        connection = server.connect()
        with suppress(GaveUpError):
            while not over.is_set():
                server.ask(connection, large)
                done.append(time.perf_counter())
        connection.close()

    busy = threading.Thread(target=keep_comparing)
    busy.start()
    time.sleep(0.2)
    beside = _small(server)
    over.set()
    busy.join()
    print(server.name, alone, beside, len(done), flush=True)
    return alone, beside, len(done)


def _small(server):
    connection, body, delays = server.connect(), server.body(*SMALL), []
    end = time.perf_counter() + BESIDE_S
    while time.perf_counter() < end:
        delays.append(server.ask(connection, body)[0] * 1000)
        time.sleep(0.002)
    connection.close()
    delays.sort()
    return statistics.median(delays), delays[math.ceil(len(delays) * 0.99) - 1]


def _report(measured, delays):
    method = (
        f"Made by `make bench-http`: JSON in, a JSON Patch out, over HTTP on one machine ({os.cpu_count()} cores of "
        f"{platform.machine()}, shared with whatever else ran). Services take turns round by round; {ROUNDS} rounds, "
        "in each the median of a few requests on one connection; below, the median of the rounds with the least and "
        "the most. One process each, settings as they come. The first answer of each was applied and is right. Trust "
        "the ratios only.\n"
    )
    peers = (
        "The peers are in this folder, a few lines each: FastAPI with jsonpatch, which runs in a thread beside the "
        "event loop, and Fastify with rfc6902. They do nothing but compare; Patchbay also checks limits, duplicate "
        "members and exact integers.\n"
    )
    beside = (
        "One client compares 10 MB (records by key) again and again; another sends small requests, one after another. "
        "Milliseconds of a small request:\n"
    )
    versions = f"Versions: {', '.join(servers.versions())}.\n"
    parts = ["# The compare route against services written by hand\n", method, versions, peers]
    for place, (shape, by_size) in enumerate(measured.items()):
        picture = f"compare-{place + 1}.svg"
        medians = {
            size: {name: statistics.median(times) if times else None for name, (times, _) in found.items()}
            for size, found in by_size.items()
        }
        (HERE / picture).write_text(chart.draw(f"Milliseconds for one patch: {shape}", "ms", medians))
        parts += [
            f"## {shape[0].upper()}{shape[1:]}\n",
            f"{documents.SHAPES[shape].__doc__.strip()} Sizes are of one document.\n",
            f"![Milliseconds by size]({picture})\n",
            *_table(by_size),
        ]
    parts += [
        "## Small requests beside a large one\n",
        beside,
        "| | p50 alone | p99 alone | p50 beside | p99 beside | large ones done meanwhile |",
        "|---|---|---|---|---|---|",
    ]
    parts += [
        f"| {name} | {alone[0]:.1f} | {alone[1]:.1f} | {busy[0]:.1f} | {busy[1]:.1f} | {done} |"
        for name, (alone, busy, done) in delays.items()
    ]
    tails = {"p50 beside": 0, "p99 beside": 1}
    groups = {tail: {name: beside[index] for name, (_, beside, _) in delays.items()} for tail, index in tails.items()}
    (HERE / "beside.svg").write_text(chart.draw("Milliseconds of a small request beside a large one", "ms", groups))
    parts += ["\n![Small requests beside a large one](beside.svg)", ""]
    return "\n".join(parts)


def _table(by_size):
    names = list(next(iter(by_size.values())))
    lines = [
        "| size | " + " | ".join(f"{name}: ms | patch bytes" for name in names) + " |",
        "|---" * (1 + 2 * len(names)) + "|",
    ]
    for size, found in by_size.items():
        cells = []
        for times, patch_bytes in found.values():
            if times:
                cells += [f"{statistics.median(times):.3g} ({min(times):.3g} to {max(times):.3g})", f"{patch_bytes:,}"]
            else:
                cells += [patch_bytes or "not asked any more", "-"]
        lines.append(f"| {size} | " + " | ".join(cells) + " |")
    return [*lines, ""]


if __name__ == "__main__":
    main()
