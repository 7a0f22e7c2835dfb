"""Rows in runs: changes with a few lines around them, and between them folds of what did not change."""

from typing import Literal, NamedTuple

from service.api.page.lines import Row

CONTEXT = 3
SHORTEST = 6
"""Fewer unchanged lines than this are not worth a fold."""
CHUNK = 200
"""Rows that a browser lays out together."""


class Run(NamedTuple):
    """Rows that are shown, folded away, or one change; `start` is the index of the first."""

    kind: Literal["shown", "folded", "change"]
    start: int
    rows: list[Row]


def fold(rows: list[Row]) -> list[Run]:
    """Cut rows into runs; joined they are the rows. A change is a run of neighbouring rows that are not the same.

    >>> rows = [Row("same", [], [])] * 20 + [Row("added", None, [])]
    >>> [(run.kind, len(run.rows)) for run in fold(rows)]
    [('folded', 17), ('shown', 3), ('change', 1)]
    """
    runs: list[Run] = []
    at = 0
    while at < len(rows):
        end = at
        is_same = rows[at].kind == "same"
        while end < len(rows) and (rows[end].kind == "same") == is_same:
            end += 1
        if is_same:
            runs += _fold_same(rows, at, end)
        else:
            runs.append(Run("change", at, rows[at:end]))
        at = end
    return runs


def _fold_same(rows: list[Row], start: int, end: int) -> list[Run]:
    head = start + (CONTEXT if start else 0)
    tail = end - (CONTEXT if end < len(rows) else 0)
    if tail - head < SHORTEST:
        return [Run("shown", start, rows[start:end])]
    cuts: list[Run] = [Run("shown", start, rows[start:head])] if head > start else []
    cuts.append(Run("folded", head, rows[head:tail]))
    return [*cuts, Run("shown", tail, rows[tail:end])] if end > tail else cuts
