"""`python -m benchmarks.diff`: the engines against their peers. Writes RESULTS.md beside this file."""

import argparse
import gc
import json
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.diff import bars, engines, latency, loads, pairs, report, strangers
from benchmarks.diff.ratios import ratio
from benchmarks.diff.spelling import respelt
from tests.unit.core import applier

BUDGET_S = 2.0
"""A peer that needs longer for a pair has given up."""
ENOUGH_MS = 5.0
"""A round takes about so long at the least: the first runs find the processor's caches full of somebody else's work."""
MOST_RUNS = 5000
SLOW_MS = 250.0
"""Slower ones are measured once: what they are compared with is a fraction of that."""
LARGEST_FOR_PEERS = 100_000
OURS = {"python", "native", "decode both"}
AT_THE_BARS = {"native", "decode both"}
"""Timed in every round however slow they are: the bars of growth compare the two."""
FOR_OTHERS = {*AT_THE_BARS, "jsonpatch", "fast-json-patch"}


def main():
    options = _arguments()
    gc.freeze()
    gc.disable()  # as in a process of the service that compares: trees of JSON have no cycles
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peers, versions = engines.peers(folder)
        everybody = [*engines.ours(), *peers]
        try:
            measured = [
                _measured(pair, everybody, options.rounds)
                for pair in [*pairs.corpus(options.corpus), *pairs.generated()]
            ]
            growth = _growth(everybody, options.largest, options.rounds)
            few = [engine for engine in everybody if engine.name in FOR_OTHERS]
            other_pairs = [pairs.Pair(*texts) for texts in strangers.texts()]
            others = [_measured(pair, few, options.rounds) for pair in other_pairs]
        finally:
            for engine in everybody:
                engine.close()
    delays = {} if options.no_latency else latency.measure()
    verdicts = ""
    if any(engine.name == "native" for engine in everybody):
        verdicts = bars.write(measured, others, growth, loads.memory(other_pairs), loads.threads(other_pairs))
    text = report.write(measured, growth, delays, verdicts, versions | {"Python": platform.python_version()})
    (Path(__file__).parent / "RESULTS.md").write_text(text)
    print(text)
    wrong = [
        f"{each['pair']}: {name}"
        for each in measured + others
        for name in each["wrong"]
        if name.startswith(("py", "na"))
    ]
    sys.exit(f"wrong patches: {wrong}" if wrong else 0)


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path("../shared/corpus")
    corpus = os.environ.get("PATCHBAY_BENCH_CORPUS", str(beside) if beside.is_dir() else None)
    parser.add_argument("--corpus", default=corpus, help="folder of NNN.a.json and NNN.b.json")
    parser.add_argument("--rounds", type=int, default=9, help="rounds per pair, engines in turn")
    parser.add_argument("--largest", type=int, default=1_000_000, help="elements of the largest of a series")
    parser.add_argument("--no-latency", action="store_true", help="leave out the service")
    return parser.parse_args()


def _measured(pair, everybody, rounds):
    """Measure all engines in turn and check what they answer."""
    times, patches, given_up = _in_turn(pair, everybody, rounds)
    print(pair.name, {name: round(statistics.median(each), 3) for name, each in times.items()}, flush=True)
    return {
        "pair": pair.name,
        "kind": pair.kind,
        "size": len(pair.before) + len(pair.after),
        "ms": times,
        "bytes": {name: len(patch) for name, patch in patches.items()},
        "respelt": {name: len(respelt(patch)) for name, patch in patches.items() if patch},
        "wrong": [name for name, patch in patches.items() if patch and not _is_right(pair, patch)],
        "given_up": given_up,
    }


def _in_turn(pair, everybody, rounds):
    """Time all engines round by round; who is slow once is timed once, and who fails or is too slow is left out.

    Gives the milliseconds of the rounds, the patches, and why engines failed, all by the names of the engines.
    """
    times, patches, given_up, batch = {}, {}, {}, {}
    running = list(everybody)
    for engine in running:
        engine.load(pair.before, pair.after)
    for turn in range(rounds + 1):
        for engine in list(running):
            try:
                ms, patch = engine.run(batch.get(engine.name, 1), BUDGET_S)
            except Exception as error:  # noqa: BLE001  # a peer may fail in any way
                given_up[engine.name] = str(error)[:80]
                running.remove(engine)
                continue
            if turn:
                times.setdefault(engine.name, []).append(ms)
            else:  # the first round warms up, tells how many make a round, and gives the patch
                patches[engine.name] = patch
                if _enough(ms) > 1:  # the first run is slow: everything is cold
                    ms, _ = engine.run(_enough(ms), BUDGET_S)
                batch[engine.name] = _enough(ms)
                if ms > SLOW_MS and engine.name not in AT_THE_BARS:
                    times[engine.name] = [ms]
                    running.remove(engine)
            gc.collect()
    return times, patches, given_up


def _enough(ms):
    """Say how many runs of so many milliseconds make a round."""
    return max(1, min(MOST_RUNS, int(ENOUGH_MS / max(ms, 0.0001))))


def _is_right(pair, patch):
    """Apply with an applier that shares no code with anybody."""
    try:
        root = [json.loads(pair.before)]
        for operation in json.loads(patch):
            applier.apply_one(root, operation)
        return applier.strictly_equal(root[0], json.loads(pair.after))
    except (AssertionError, LookupError, TypeError, ValueError):
        return False


def _growth(everybody, largest, rounds):
    """Time each series as it grows; who would pass the budget at the next size is not asked for more."""
    found = {}
    for name in pairs.SERIES:
        row = found[name] = {"bytes": {}, "native / decode both": {}}
        running = [engine for engine in everybody if not engine.name.endswith("moves")]
        for size in (size for size in pairs.SIZES if size <= largest):
            if size > LARGEST_FOR_PEERS:
                running = [engine for engine in running if engine.name in OURS]
            pair = pairs.growing(name, size)
            row["bytes"][size] = len(pair.before) + len(pair.after)
            times, patches, given_up = _in_turn(pair, running, rounds)
            for engine, each in times.items():
                row.setdefault(engine, {})[size] = (statistics.median(each), len(patches[engine]))
            for engine, reason in given_up.items():
                row.setdefault(engine, {})[size] = f"> {BUDGET_S:g} s" if "more" in reason else "fails"
            if "native" in times:
                row["native / decode both"][size] = ratio(times, "native", "decode both")
            most = BUDGET_S * 1000 / 10  # the next size is ten times as large
            slow = {engine for engine, each in times.items() if statistics.median(each) > most} - OURS
            running = [engine for engine in running if engine.name not in {*given_up, *slow}]
        print(name, "done", flush=True)
    return found


if __name__ == "__main__":
    main()
