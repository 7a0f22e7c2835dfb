"""The bars of the native core, beside what was measured."""

import statistics

from benchmarks.diff.pairs import CLASSES
from benchmarks.diff.ratios import ratio

RATIOS: dict[str, dict[str, float]] = {
    "decode both": {"small": 1.5, "medium": 2.2, "large": 2.5, "very large": 3.5},
    "fast-json-patch": {"small": 5, "medium": 6, "large": 8, "very large": 6},
    "jsonpatch": {"small": 60, "medium": 50, "large": 40, "very large": 25},
}
EVERY_PAIR = 2.0
GROWTH = 1.6
MEMORY = 0.6
THREADS = 1.7
ONE_MB_MS, TWENTY_MB_MS = 10.0, 150.0


def write(measured, others, growth, memory, threads):
    parts = [
        "A bar is met by the median of the pairs of a class; the least and the most stand beside it.\n",
        "Corpus and series that the engine was tuned on:\n",
        _ratios(measured),
        "\nOther pairs (`strangers.py`: five shapes, edited at random, seeds fixed):\n",
        _ratios(others),
        "\n",
        _list(
            _growth_lines(growth) + _size_lines(measured + others, growth) + _memory_lines(memory) + _threads(threads)
        ),
    ]
    return "\n".join(parts)


def _ratios(measured):
    kinds = [kind for kind in CLASSES if any(each["kind"] == kind for each in measured)]
    lines = ["| | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for peer, bars in RATIOS.items():
        cells = []
        for kind in kinds:
            ratios = [
                found for each in measured if each["kind"] == kind and (found := ratio(each["ms"], peer, "native"))
            ]
            cells.append(_cell(statistics.median(ratios), bars[kind], ratios) if ratios else "-")
        lines.append(f"| {peer} / native | " + " | ".join(cells) + " |")
    cells = []
    for kind in kinds:
        found = [
            (times, each["pair"])
            for each in measured
            if each["kind"] == kind and (times := ratio(each["ms"], "fast-json-patch", "native"))
        ]
        cells.append(
            f"{min(found)[0]:.2f} {_verdict(min(found)[0] >= EVERY_PAIR)} ≥ {EVERY_PAIR:g} ({min(found)[1]})"
            if found
            else "-"
        )
    lines.append("| fast-json-patch / native, every pair | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(median, bar, ratios):
    return f"{median:.2f} {_verdict(median >= bar)} ≥ {bar:g} ({min(ratios):.2f}-{max(ratios):.1f})"


def _verdict(is_met):
    return "meets" if is_met else "**misses**"


def _list(lines):
    return "\n".join(f"- {line}" for line in lines)


def _growth_lines(growth):
    """Time in units of decoding both, round by round, as a series grows, against its own value at the start."""
    worst = []
    for series, row in growth.items():
        relative = row["native / decode both"]
        if len(relative) > 1:
            first = relative[min(relative)]
            worst.append(
                max((value / first, series, size, value) for size, value in relative.items() if size > min(relative))
            )
    lines = [
        f"growth, {series}: at {size:,} {value:.2f}x decoding both, {times:.2f} times its own value at the start:"
        f" {_verdict(times <= GROWTH)} ≤ {GROWTH}"
        for times, series, size, value in sorted(worst, reverse=True)[:4]
    ]
    value = growth["numbers, 1 % edited"]["native / decode both"].get(1_000_000)
    if value is not None:
        lines.append(f"1 % edits in 1,000,000 numbers: {value:.2f}x decoding both: {_verdict(value <= 1)} ≤ 1")
    return lines


def _size_lines(measured, growth):
    """The slowest comparison of about 1 MB and of about 20 MB (both texts together), scaled to that size."""
    found = [
        (each["size"], statistics.median(each["ms"]["native"]), each["pair"])
        for each in measured
        if "native" in each["ms"]
    ]
    for series, row in growth.items():
        found += [
            (row["bytes"][size], result[0], f"{series}, {size:,}") for size, result in row.get("native", {}).items()
        ]
    lines = []
    for size, bar in ((1_000_000, ONE_MB_MS), (20_000_000, TWENTY_MB_MS)):
        near = [(ms * size / total, name) for total, ms, name in found if size / 3 <= total <= size * 3]
        if near:
            ms, name = max(near)
            about = f"{size // 10**6} MB"
            verdict = f"{_verdict(ms <= bar)} ≤ {bar:g} ms"
            lines.append(f"slowest of {len(near)} pairs of about {about}: {ms:.1f} ms per {about} ({name}): {verdict}")
    return lines


def _memory_lines(memory):
    return [
        f"peak memory, {name}: native {native:.0f} MB, decoding both {decoding:.0f} MB, {native / decoding:.2f}x:"
        f" {_verdict(native <= decoding * MEMORY)} ≤ {MEMORY}"
        for name, native, decoding in memory
    ]


def _threads(threads):
    return [
        f"two threads, {name}: {gain:.2f} times as much as one: {_verdict(gain >= THREADS)} ≥ {THREADS}"
        for name, gain in threads
    ]
