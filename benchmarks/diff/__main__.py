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
from tests.unit.core import applier

BUDGET_S = 2.0
"""A peer that needs longer for a pair has given up."""
ENOUGH_MS = 5.0
SLOW_MS = 250.0
"""Slower ones are measured once: what they are compared with is a fraction of that."""
LARGEST_FOR_PEERS = 100_000
FOR_OTHERS = {"native", "decode both", "jsonpatch", "fast-json-patch"}


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
            growth = _growth(everybody, options.largest)
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
    parser.add_argument("--rounds", type=int, default=5, help="rounds per pair, engines in turn")
    parser.add_argument("--largest", type=int, default=1_000_000, help="elements of the largest of a series")
    parser.add_argument("--no-latency", action="store_true", help="leave out the service")
    return parser.parse_args()


def _measured(pair, everybody, rounds):
    """Measure all engines in turn, round by round; who is too slow once is left out of the rest."""
    times, sizes, wrong, given_up = {}, {}, [], {}
    batch = {}
    for engine in everybody:
        engine.load(pair.before, pair.after)
    for turn in range(rounds + 1):
        for engine in everybody:
            if engine.name in given_up:
                continue
            try:
                ms, patch = engine.run(batch.get(engine.name, 1), BUDGET_S)
            except Exception as error:  # noqa: BLE001  # a peer may fail in any way
                given_up[engine.name] = str(error)[:80]
                continue
            if not turn:  # the first round warms up, tells how many make a round, and is checked
                batch[engine.name] = max(1, min(500, int(ENOUGH_MS / max(ms, 0.001))))
                sizes[engine.name] = len(patch)
                if patch and not _is_right(pair, patch):
                    wrong.append(engine.name)
                if ms > SLOW_MS:
                    times[engine.name] = [ms]
                    given_up[engine.name] = ""
            else:
                times.setdefault(engine.name, []).append(ms)
            gc.collect()
    print(pair.name, {name: round(statistics.median(each), 3) for name, each in times.items()}, flush=True)
    given_up = {name: reason for name, reason in given_up.items() if reason}
    size = len(pair.before) + len(pair.after)
    return {
        "pair": pair.name,
        "kind": pair.kind,
        "size": size,
        "ms": times,
        "bytes": sizes,
        "wrong": wrong,
        "given_up": given_up,
    }


def _is_right(pair, patch):
    """Apply with an applier that shares no code with anybody."""
    try:
        root = [json.loads(pair.before)]
        for operation in json.loads(patch):
            applier.apply_one(root, operation)
        return applier.strictly_equal(root[0], json.loads(pair.after))
    except (AssertionError, LookupError, TypeError, ValueError):
        return False


def _growth(everybody, largest):
    """Time each series as it grows; who would pass the budget at the next size is not asked for more."""
    found = {}
    for name in pairs.SERIES:
        row = found[name] = {}
        out = set()
        for size in (size for size in pairs.SIZES if size <= largest):
            pair = pairs.growing(name, size)
            row.setdefault("bytes", {})[size] = len(pair.before) + len(pair.after)
            for engine in everybody:
                is_peer = engine.name not in {"python", "native", "decode both"}
                if engine.name in out or engine.name.endswith("moves") or (is_peer and size > LARGEST_FOR_PEERS):
                    continue
                engine.load(pair.before, pair.after)
                try:
                    best, patch = min(engine.run(1, BUDGET_S) for _ in range(3 if size < 10_000 else 1))
                except Exception as error:  # noqa: BLE001
                    out.add(engine.name)
                    row.setdefault(engine.name, {})[size] = f"> {BUDGET_S:g} s" if "more" in str(error) else "fails"
                    continue
                row.setdefault(engine.name, {})[size] = (best, len(patch))
                if best * 10 > BUDGET_S * 1000 and is_peer:  # the next size is ten times as large
                    out.add(engine.name)
            gc.collect()
        print(name, "done", flush=True)
    return found


if __name__ == "__main__":
    main()
