"""Runs of rows as one HTML document that needs nothing from outside. Whatever comes from a document is escaped here."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from importlib.resources import files
from itertools import islice

from service.api.page.folding import CHUNK, Run, fold
from service.api.page.lines import MAX_ROWS, Row, Text, lay_out
from service.core import values
from service.core.assignment import DELTA_DEPTH
from service.core.delta import ENVELOPE
from service.core.values import Json

MAX_FOLDED = 5_000
"""A longer fold is left out of the page: it could be opened by nobody's patience."""

_SIGNS = {"same": " ", "removed": "-", "added": "+", "changed": "~"}


def render_text(text: bytes, max_depth: int, bounded: bool) -> bytes:
    """Make the page of an answer of `compare` of full context, as UTF-8."""
    envelope = values.decode(text, max_depth=max_depth + DELTA_DEPTH)
    return render(envelope[ENVELOPE]["dx_deltaJSON_delta"], bounded=bounded).encode()


def render(content: Json, *, bounded: bool) -> str:
    """Make the page of a delta of full context."""
    rows, is_cut = lay_out(content)
    runs = fold(rows)
    notes = []
    if bounded:
        notes.append("A bound was met: some pairs of items may have been missed, and stand as removed and added.")
    if is_cut:
        notes.append(f"Only the first {MAX_ROWS} lines are shown. Ask for JSON to have all of it.")
    body = "".join(_body(runs))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<title>Comparison</title>\n'
        f"<style>{_asset('page.css')}</style>\n</head>\n<body>\n{_header(runs, notes)}"
        '<main class="columns" aria-label="Documents A and B side by side">\n'
        '<div class="r names" aria-hidden="true"><span></span><span class="t">A</span>'
        '<span></span><span class="t">B</span></div>\n'
        f"{body}</main>\n<script>{_asset('page.js')}</script>\n</body>\n</html>\n"
    )


@cache
def policy() -> str:
    """Return the Content-Security-Policy of the page: its own style and script, by their digests, and nothing else."""
    return (
        f"default-src 'none'; style-src {_digest('page.css')}; script-src {_digest('page.js')}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _digest(name: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(_asset(name).encode()).digest()).decode() + "'"


def _header(runs: list[Run], notes: list[str]) -> str:
    kinds = Counter(row.kind for run in runs if run.kind == "change" for row in run.rows)
    count = sum(run.kind == "change" for run in runs)
    summary = (
        f"{count} {'change' if count == 1 else 'changes'}: {kinds['changed']} lines changed, "
        f"{kinds['removed']} removed, {kinds['added']} added"
        if count
        else "The documents are equal."
    )
    told = "".join(f'<p class="note">{escape(note)}</p>\n' for note in notes)
    controls = (
        '<nav aria-label="Changes"><button type="button" id="previous">previous <kbd>p</kbd></button>'
        '<button type="button" id="next">next <kbd>n</kbd></button>'
        '<button type="button" id="unfold" aria-pressed="false">unfold <kbd>u</kbd></button>'
        '<output id="position" aria-live="polite"></output></nav>\n'
        if count
        else ""
    )
    return f'<header>\n<h1>Comparison</h1>\n<p id="summary">{summary}</p>\n{told}{controls}</header>\n'


def _body(runs: Iterable[Run]) -> Iterator[str]:
    numbers = [0, 0]
    for run in runs:
        match run.kind:
            case "folded" if len(run.rows) > MAX_FOLDED:
                numbers = [number + len(run.rows) for number in numbers]
                yield f'<p class="left-out">{len(run.rows)} unchanged lines are left out</p>\n'
            case "folded":
                yield f"<details><summary>{len(run.rows)} unchanged lines</summary>\n"
                yield from _rows(run.rows, numbers)
                yield "</details>\n"
            case "change":
                yield '<section class="change" tabindex="-1">\n'
                yield from _rows(run.rows, numbers)
                yield "</section>\n"
            case _:
                yield from _rows(run.rows, numbers)


def _rows(rows: list[Row], numbers: list[int]) -> Iterator[str]:
    """Write rows, in chunks that a browser can skip; `numbers` are those of the last lines and are counted on."""
    waiting = iter(rows)
    while chunk := list(islice(waiting, CHUNK)):
        yield '<div class="chunk">\n' if len(rows) > CHUNK else ""
        for row in chunk:
            before, after = _cell(row.before, row, numbers, 0), _cell(row.after, row, numbers, 1)
            yield f'<div class="r {row.kind}">{before}{after}</div>\n'
        yield "</div>\n" if len(rows) > CHUNK else ""


def _cell(text: Text | None, row: Row, numbers: list[int], side: int) -> str:
    if text is None:
        return '<span class="n"></span><span class="t none"></span>'
    numbers[side] += 1
    sign = _SIGNS[row.kind]
    tag = "del" if side == 0 else "ins"
    pieces = "".join(f"<{tag}>{escape(piece)}</{tag}>" if marked else escape(piece) for piece, marked in text if piece)
    return f'<span class="n" data-sign="{sign}">{numbers[side]}</span><span class="t">{pieces}</span>'
