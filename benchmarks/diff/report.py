"""The figures as Markdown."""

import os
import statistics

from benchmarks.diff.pairs import CLASSES, SIZES
from benchmarks.diff.ratios import ratio

BARS = {"small": 8, "medium": 6, "large": 5, "very large": 2.5}
PEERS = ["jsonpatch", "fast-json-patch", "rfc6902", "jsondiffpatch", "json-joy"]


def write(measured, growth, delays, bars, versions):
    has_native = any("native" in each["ms"] for each in measured)
    method = (
        "Made by `make bench-diff`. Bytes in to bytes out, milliseconds of processor time (so that other work on the"
        " machine counts little; Node's own helper threads are in it), rounds interleaved, medians of what ran side by"
        " side. The collector is off in Python, Node is warm."
        f" {len(measured)} pairs; {os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}:"
        " trust the ratios only.\n"
    )
    parts = [
        "# The diff engines against their peers\n",
        method,
        "Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".\n",
        "## Time\n",
        _times(measured, "python"),
    ]
    if has_native:
        parts += ["", _times(measured, "native"), "\n## The bars of the native core\n", bars]
    parts += ["\n## Patch size\n", _sizes(measured, has_native), "\n## Right or wrong\n", _verdicts(measured)]
    parts += ["\n## Growth\n", _growth(growth, has_native), "\n## Small requests beside a large comparison\n"]
    parts += [_delays(delays), "\n## Every pair\n", _pairs(measured, has_native), ""]
    return "\n".join(parts)


def _ratios(measured, kind, peer, ours):
    return [found for each in measured if each["kind"] == kind and (found := ratio(each["ms"], peer, ours))]


def _times(measured, ours):
    kinds = [kind for kind in CLASSES if any(each["kind"] == kind for each in measured)]
    lines = [
        f"Their time / `{ours}`'s, median of the pairs (least to most):\n",
        "| | " + " | ".join(f"{kind} ({sum(each['kind'] == kind for each in measured)})" for kind in kinds) + " |",
        "|---" * (len(kinds) + 1) + "|",
    ]
    for peer in [*PEERS, "decode both"]:
        cells = []
        for kind in kinds:
            ratios = _ratios(measured, kind, peer, ours)
            cells.append(f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.1f})" if ratios else "-")
        lines.append(f"| {peer} | " + " | ".join(cells) + " |")
    if ours == "python":
        bars = " | ".join(f"≥ {BARS[kind]}" for kind in kinds)
        lines.append(f"| *bar for jsonpatch* | {bars} |")
    spread = [
        (max(times) - min(times)) / statistics.median(times)
        for each in measured
        if len(times := each["ms"].get(ours, [])) > 1
    ]
    lines.append(
        f"\nSpread of the rounds of `{ours}`, (most - least) / median: median {statistics.median(spread or [0]):.0%}."
    )
    return "\n".join(lines)


def _sizes(measured, has_native):
    method = (
        "At most the best peer's bytes: with moves against jsonpatch, which always moves; without against those that"
        " never do. Bar: 95 % of the pairs, at most 1.05 on all. (Wrong patches do not count.)\n\nAs sent, and with the"
        " numbers of all engines spelt alike: peers in JavaScript read `58.0` and write `58`; ours write the kind of"
        " number that the document has (`docs/diff.md`), which takes two bytes more and loses nothing.\n"
    )
    lines = [
        method,
        "| engine | pairs | as sent | worst ratio | numbers spelt alike | worst ratio |",
        "|---|---|---|---|---|---|",
    ]
    rivals = {"": ["fast-json-patch", "rfc6902", "json-joy"], ", moves": ["jsonpatch", "jsondiffpatch"]}
    for ours in ["python", "native"] if has_native else ["python"]:
        for suffix, names in rivals.items():
            sent, alike = (_size_ratios(measured, ours + suffix, names, kind) for kind in ("bytes", "respelt"))
            cells = [_share(sent), _worst(sent), _share(alike), _worst(alike)]
            lines.append(f"| {ours}{suffix} | {len(sent)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _size_ratios(measured, ours, names, kind):
    """Give our size / the best peer's for every pair, with the pair's name."""
    ratios = []
    for each in measured:
        best = [each[kind][name] for name in names if name in each[kind] and name not in each["wrong"]]
        if best and ours in each[kind]:
            ratios.append((each[kind][ours] / min(best), each["pair"]))
    return ratios


def _share(ratios):
    good = sum(ratio <= 1 for ratio, _ in ratios)
    return f"{good} ({good / len(ratios):.0%})"


def _worst(ratios):
    worst, where = max(ratios)
    return f"{worst:.4f} ({where})"


def _verdicts(measured):
    names = sorted({name for each in measured for name in (*each["bytes"], *each["given_up"])} - {"decode both"})
    lines = ["Applied by an applier that shares no code with any engine.\n", "| engine | right | wrong | given up |"]
    lines.append("|---|---|---|---|")
    for name in names:
        wrong = sum(name in each["wrong"] for each in measured)
        right = sum(name in each["bytes"] for each in measured) - wrong
        lines.append(f"| {name} | {right} | {wrong} | {sum(name in each['given_up'] for each in measured)} |")
    return "\n".join(lines)


def _growth(growth, has_native):
    names = ["python", *(["native"] if has_native else []), "decode both", *PEERS]
    lines = ["Milliseconds (patch bytes) as the series grow; a peer that needed seconds is not asked for more.\n"]
    for series, row in growth.items():
        lines += [f"**{series}**\n", "| | " + " | ".join(f"{size:,}" for size in SIZES) + " |"]
        lines.append("|---" * (len(SIZES) + 1) + "|")
        for name in names:
            if name in row:
                lines.append(f"| {name} | " + " | ".join(_cell(row[name].get(size)) for size in SIZES) + " |")
        lines.append("")
    return "\n".join(lines)


def _cell(found):
    if found is None:
        return "-"
    return found if isinstance(found, str) else f"{found[0]:,.2f} ({found[1]:,})" if found[1] else f"{found[0]:,.2f}"


def _delays(delays):
    if not delays:
        return "Not measured in this run."
    method = (
        "`POST /api/json/v1/patch` with two small documents, one at a time, alone and while another client has"
        " documents of about 20 MB compared without pause:\n"
    )
    lines = [
        method,
        "| engine | p50 alone | p99 alone | p50 beside | p99 beside | large comparisons meanwhile |",
        "|---|---|---|---|---|---|",
    ]
    for engine, (alone, beside, done) in delays.items():
        cells = [f"{value:.2f} ms" for value in (*alone, *beside)]
        lines.append(f"| {engine} | " + " | ".join(cells) + f" | {done} |")
    return "\n".join(lines)


def _pairs(measured, has_native):
    names = ["python", *(["native"] if has_native else []), *PEERS]
    lines = [
        "Median milliseconds / patch bytes.\n",
        "| pair | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for each in measured:
        cells = []
        for name in names:
            if name in each["ms"]:
                mark = " wrong" if name in each["wrong"] else ""
                cells.append(f"{statistics.median(each['ms'][name]):.3f} / {each['bytes'][name]}{mark}")
            else:
                cells.append(each["given_up"].get(name, "-"))
        lines.append(f"| {each['pair']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
