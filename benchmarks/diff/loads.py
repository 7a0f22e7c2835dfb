"""Memory and threads: what a process needs at its peak, and what two threads do in the time of one.

Run as a module it is the process whose memory is measured: `native` or `decode both`, and two files.
"""

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec

from service.core.native import NativeCore

LEAST_FOR_MEMORY = 3_000_000
LEAST_FOR_THREADS = 100_000
SECONDS = 1.0
ROUNDS = 5


def memory(pairs):
    """Give, for pairs of some size, the megabytes that comparing and decoding add to the process at the peak."""
    return [
        (pair.name, _peak("native", pair), _peak("decode both", pair))
        for pair in pairs
        if len(pair.before) >= LEAST_FOR_MEMORY
    ]


def _peak(way, pair):
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / side for side in "ab"]
        for path, text in zip(paths, (pair.before, pair.after), strict=True):
            path.write_bytes(text)
        command = [sys.executable, "-m", "benchmarks.diff.loads", way, *map(str, paths)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _measure_peak(way, *paths):
    before, after = (Path(path).read_bytes() for path in paths)
    core = NativeCore()
    core.compare_bytes(b"[1]", b"[2]")
    start = _megabytes("VmRSS")
    if way == "native":
        core.compare_bytes(before, after)
    else:
        kept = msgspec.json.decode(before), msgspec.json.decode(after)
        del kept
    print(_megabytes("VmHWM") - start)


def _megabytes(figure):
    """Read from the kernel; `getrusage` would count the parent's peak too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(figure)) / 1024


def threads(pairs):
    """Give, for one pair of each class above 100 KB, how many times as much two threads compare as one."""
    core = NativeCore()
    chosen = {pair.kind: pair for pair in pairs if len(pair.before) >= LEAST_FOR_THREADS}
    return [(pair.name, statistics.median(_gain(core, pair) for _ in range(ROUNDS))) for pair in chosen.values()]


def _gain(core, pair):
    alone = _per_second(core, pair, 1)
    return _per_second(core, pair, 2) / alone


def _per_second(core, pair, count):
    """Let so many threads compare one pair for a while; how many comparisons they end per second, all together."""
    done = [0] * count
    core.compare_bytes(pair.before, pair.after)
    end = time.perf_counter() + SECONDS

    def work(place):
        while time.perf_counter() < end:
            core.compare_bytes(pair.before, pair.after)
            done[place] += 1

    workers = [threading.Thread(target=work, args=(place,)) for place in range(count)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(done) / (time.perf_counter() - start)


if __name__ == "__main__":
    _measure_peak(*sys.argv[1:])
