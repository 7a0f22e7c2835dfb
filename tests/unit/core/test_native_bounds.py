"""The native core out of memory, out of time and against hostile input: an answer each time, never a dead process."""

import json
import random
import subprocess
import sys
import threading
import time

import pytest

from service.core.native import Cancellation, NativeCore
from service.core.options import DEFAULT, DiffOptions
from service.errors import TooComplexError

STARVED = """
import json, random, resource, sys
from service.core.native import NativeCore
from service.core.options import DiffOptions, Scoped
from service.errors import OverloadedError

core = NativeCore()
core.keep(0)
draw = random.Random(1)
items = [{"id": draw.randrange(10**9), "n": f"n{place}", "t": [place % 7, "x"]} for place in range(20_000)]
numbers = [draw.randrange(10**6) for _ in range(200_000)]
names = {f"k{number}": number for number in numbers}
shuffled = dict(draw.sample(list(names.items()), len(names)))
pairs = [(items, draw.sample(items, len(items))), (numbers, numbers[1::2]), (names, shuffled), (names, {}),
         (items, [{"k": each["id"], "t": each["t"]} for each in items])]
texts = [[json.dumps(each).encode() for each in pair] for pair in pairs]
options = [DiffOptions(), DiffOptions(moves=(Scoped(True),), shorten_above=0)]
with open("/proc/self/statm") as statm:
    used = int(statm.read().split()[0]) * resource.getpagesize()
refused = done = 0
for megabytes in [*range(1, 24), *range(24, 120, 8)]:
    resource.setrlimit(resource.RLIMIT_AS, (used + megabytes * 2**20, resource.RLIM_INFINITY))
    for before, after in texts:
        for each in options:
            try:
                core.compare_bytes(before, after, each)
                done += 1
            except (OverloadedError, MemoryError):
                refused += 1
print(refused > 50 and done > 50)
"""


@pytest.mark.usefixtures("core")
def test_too_little_memory_is_an_error() -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("address space is limited by a Linux call")

    result = subprocess.run([sys.executable, "-c", STARVED], capture_output=True, text=True, timeout=110, check=False)

    assert (result.returncode, result.stdout.strip()) == (0, "True"), result.stderr[-2000:]


def large_pairs() -> list[tuple[bytes, bytes]]:
    draw = random.Random(3)
    count = 150_000
    items = [{"id": draw.randrange(10**9), "name": f"n{place}"} for place in range(count)]
    digits = [draw.randrange(10) for _ in range(5 * count)]
    names = {f"key {number}": number for number in range(2 * count)}
    pairs = [
        (items, draw.sample(items, count)),
        (digits, [draw.randrange(10) for _ in range(5 * count)]),
        (names, dict(draw.sample(list(names.items()), len(names)))),
    ]
    return [(json.dumps(before).encode(), json.dumps(after).encode()) for before, after in pairs]


def seconds_after_cancelling(core: NativeCore, before: bytes, after: bytes, delay_s: float) -> float | None:
    """Cancel after a while; how long the comparison went on, or None if it had ended."""
    cancellation, cancelled_at = Cancellation(), [0.0]

    def cancel() -> None:
        cancelled_at[0] = time.perf_counter()
        cancellation.cancel()

    timer = threading.Timer(delay_s, cancel)
    timer.start()
    try:
        core.compare_bytes(before, after, DiffOptions(shorten_above=0), cancellation)
    except TooComplexError:
        return time.perf_counter() - cancelled_at[0]
    finally:
        timer.join()
    return None


def test_a_large_comparison_can_be_cancelled_at_any_moment(core: NativeCore) -> None:
    """The bar is 10 ms on an idle core; here others load the machine, so the usual delay is judged, generously."""
    delays = [
        found
        for before, after in large_pairs()
        for delay_s in (0.002, 0.01, 0.02, 0.04, 0.06)
        if (found := seconds_after_cancelling(core, before, after, delay_s)) is not None
    ]

    assert len(delays) >= 5
    assert sorted(delays)[len(delays) // 2] < 0.05
    assert core.compare_bytes(b"[1]", b"[1]", DEFAULT).patch == b"[]"


def test_strings_that_end_at_every_place_of_a_block(core: NativeCore) -> None:
    escapes = ["\\n", "\\u00e9", "\\ud83d\\ude00", "é", "😀", "\\\\", '\\"']
    for length in range(40):
        for escape in escapes:
            before = f'["{"x" * length}{escape}"]'.encode()
            assert core.compare_bytes(before, before + b" ").patch == b"[]"
            patch = json.loads(core.compare_bytes(before, b"[1]" + b" " * length).patch)
            assert patch == [{"op": "replace", "path": "/0", "value": 1}]


def test_numbers_of_a_million_digits(core: NativeCore) -> None:
    digits = b"7" * 1_000_000
    before, after = b"[0." + digits + b"]", b"[0." + digits + b"1]"

    assert core.compare_bytes(before, before[:-1] + b"0e0]").patch == b"[]"
    assert core.compare_bytes(before, after).patch == b'[{"op":"replace","path":"/0","value":0.' + digits + b"1}]"
