"""The page without a browser: lines beside lines, folds, and what is left out."""

import re
from itertools import chain
from typing import Any

import pytest

from service.api.page.folding import fold
from service.api.page.lines import MAX_ROWS, lay_out, show
from service.api.page.markup import MAX_FOLDED, render
from service.core.contrast import contrast
from service.core.options import FamilyOptions


def rows(before: Any, after: Any) -> list[tuple[str | None, ...]]:
    """Kind and text of both sides of every row."""
    laid = lay_out(contrast(before, after, FamilyOptions(alignment="inOrder", word_by_word=True)).delta)
    return [
        (row.kind, *(None if text is None else "".join(piece for piece, _ in text) for text in row[1:]))
        for row in laid.rows
    ]


def test_each_side_is_the_document_with_its_own_commas() -> None:
    assert rows({"a": 1, "b": [1, 2], "gone": {}}, {"a": 1, "b": [1], "new": {"x": []}}) == [
        ("same", "{", "{"),
        ("same", '  "a": 1,', '  "a": 1,'),
        ("same", '  "b": [', '  "b": ['),
        ("same", "    1,", "    1"),
        ("removed", "    2", None),
        ("same", "  ],", "  ],"),
        ("added", None, '  "new": {'),
        ("added", None, '    "x": []'),
        ("added", None, "  }"),
        ("removed", '  "gone": {}', None),
        ("same", "}", "}"),
    ]  # fmt: skip


def test_words_that_changed_are_marked_inside_their_line() -> None:
    (row,) = lay_out(contrast("one two", "one three", FamilyOptions(word_by_word=True)).delta).rows

    assert row.before == [('"', False), ("one ", False), ("two", True), ('"', False)]
    assert row.after == [('"', False), ("one ", False), ("three", True), ('"', False)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("a\u202eb", '"a\\u202eb"', id="direction"),
        pytest.param("a\u200bb\ufeff", '"a\\u200bb\\ufeff"', id="no width"),
        pytest.param("\x00\n", '"\\u0000\\n"', id="control"),
        pytest.param("é😀", '"é😀"', id="letters stay"),
        pytest.param("a\u3164\u034f\u2800\ufe0f", '"a\\u3164\\u034f\\u2800\\ufe0f"', id="fillers and selectors"),
        pytest.param("\U000e0041", '"\\udb40\\udc41"', id="tags"),
    ],
)
def test_every_character_shows(value: str, expected: str) -> None:
    assert show(value) == expected


def test_runs_join_to_the_rows() -> None:
    laid = lay_out(
        contrast(
            {"l": list(range(50))}, {"l": [*range(20), -1, *range(21, 50)]}, FamilyOptions(alignment="inOrder")
        ).delta
    )

    runs = fold(laid.rows)

    assert [run.kind for run in runs] == ["folded", "shown", "change", "shown", "folded"]
    assert list(chain.from_iterable(run.rows for run in runs)) == laid.rows
    assert [run.start for run in runs] == [sum(len(run.rows) for run in runs[:place]) for place in range(len(runs))]


def test_numbers_go_on_behind_a_fold_that_is_left_out() -> None:
    page = render({"l": list(range(MAX_FOLDED + 10)), "x": {"dx_delta": {"A": 1, "B": 2}}}, bounded=True)

    left_out = re.search(r"(\d+) unchanged lines are left out", page)
    assert left_out
    assert f">{int(left_out[1]) + 4}<" in page
    assert "A bound was met" in page


@pytest.mark.parametrize("side", ["A", "B"])
def test_more_lines_than_a_page_takes_are_cut_and_that_is_said(side: str) -> None:
    long = [0] * (MAX_ROWS + 10)

    laid = lay_out([{"dx_delta": {side: long}}, *long])

    assert laid.is_cut
    assert len(laid.rows) == MAX_ROWS
