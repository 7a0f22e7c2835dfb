"""`python -m benchmarks.orderless [venv]`: arrays compared without regard to order, against deepdiff.

deepdiff is no dependency of the project: it is installed into a virtual environment of its own, in a temporary folder
unless one is named that has it. Writes RESULTS.md beside this file.
"""

import json
import platform
import random
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from service.core.contrast import contrast

DEEPDIFF = "9.1.0"
ROUNDS = 5
SIZES = (250, 500, 1000, 2000)
LARGE = (4000, 16_000, 64_000)
RESULTS = Path(__file__).with_name("RESULTS.md")
PEER = """
import json, sys, time
from deepdiff import DeepDiff
before, after = json.load(sys.stdin)
start = time.perf_counter()
DeepDiff(before, after, ignore_order=True)
print(time.perf_counter() - start)
"""


def records(count: int) -> tuple[list, list]:
    """`count` records, and the same shuffled with 5 % edited in one member."""
    draw = random.Random(count)
    before = [
        {
            "id": number,
            "name": f"{draw.choice(['Ann', 'Bob', 'Cy', 'Dee', 'Eve'])} {draw.randrange(500)}",
            "city": draw.choice(["Ulm", "Bern", "Graz"]),
            "tags": draw.sample(["a", "b", "c", "d"], 2),
            "address": {"street": f"{draw.randrange(300)} Main Street", "zip": str(10_000 + draw.randrange(900))},
            "active": draw.random() < 0.5,
            "score": draw.randrange(100),
        }
        for number in range(count)
    ]
    after = json.loads(json.dumps(before))
    for number in draw.sample(range(count), count // 20):
        after[number][draw.choice(["name", "city", "score"])] = f"edited {number}"
    draw.shuffle(after)
    return before, after


def measure(before: list, after: list, edited: int) -> tuple[float, bool]:
    """Seconds of the best of several rounds, and whether a bound was met."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        found = contrast(before, after)
        best = min(best, time.perf_counter() - start)
    marks = json.dumps(found.delta).count('"dx_delta"')
    assert marks == edited, f"{marks} marks for {edited} edits"
    return best, found.bounded


def main(folder: Path) -> None:
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", f"deepdiff=={DEEPDIFF}"], check=True)
    lines = [
        "# Arrays without order",
        "",
        "`python -m benchmarks.orderless`: records shuffled, 5 % of them edited in one member. Values in, delta out,",
        f"one core; `compare` with `orderless` (best of {ROUNDS}) against deepdiff {DEEPDIFF} with `ignore_order`",
        "(once). Every edit is found as one change.",
        "",
        "| records | here | deepdiff | times |",
        "|---|---|---|---|",
    ]
    for count in (*SIZES, *LARGE):
        before, after = records(count)
        ours, bounded = measure(before, after, count // 20)
        row = f"| {count:,} | {ours:.3f} s{' (bounded)' if bounded else ''} |"
        if count in SIZES:
            text = json.dumps([before, after])
            said = subprocess.run([python, "-c", PEER], input=text, text=True, capture_output=True, check=True).stdout
            row += f" {float(said):.1f} s | {float(said) / ours:.0f} |"
        else:
            row += " - | - |"
        print(row)
        lines.append(row)
    lines += ["", f"Measured with Python {platform.python_version()} on {platform.machine()}. Trust the ratios only."]
    RESULTS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory(prefix="patchbay-bench-") as made:
            main(Path(made))
