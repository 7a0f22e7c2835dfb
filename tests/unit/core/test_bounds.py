"""What any input may be, the family survives: depth, length, and arrays of which nothing is recognisable."""

from typing import Any

import pytest

from service.core import delta, values
from service.core.conflict import show
from service.core.contrast import contrast
from service.core.graft import graft
from service.core.options import FamilyAlignment, FamilyOptions
from service.core.similarity import MAX_POSTINGS
from service.core.threeway import merge as merge_three
from service.core.twoway import merge as merge_two


def nest(value: Any, *, depth: int) -> Any:
    for level in range(depth):
        value = {"x": value, "y": level} if level % 2 else [value, level]
    return value


@pytest.mark.parametrize("alignment", ["orderless", "inOrder", "typeWithValuePriority", "positionPriority"])
def test_the_deepest_documents_are_compared_merged_and_grafted(alignment: FamilyAlignment) -> None:
    options = FamilyOptions(alignment=alignment)
    one, two, three = (nest({"v": value}, depth=199) for value in (1, 2, 3))

    made = contrast(one, two, options).delta

    assert delta.rebuild(made, "B") == two
    assert merge_two(one, two, "b", options).document == two
    assert delta.rebuild(show(merge_three(one, two, three, options).tree), "B") == three
    delta.check_document(one, "a")
    assert values.equal(graft(made, two).document, two)


def test_without_anything_rare_the_pairs_are_guessed_and_that_is_said() -> None:
    count = 20 * MAX_POSTINGS
    before = [{"kind": "a", "n": i % 3, "old": True} for i in range(count)]
    after = [{"kind": "a", "n": i % 3, "new": True} for i in range(count)]

    found = contrast(before, after)

    assert found.bounded
    assert delta.rebuild(found.delta, "A") == before
    assert len(found.delta) == count


def test_many_different_scalars_are_told_apart_without_pairs() -> None:
    found = contrast(list(range(20_000)), list(range(19_999, 9_999, -1)))

    assert not found.bounded
    assert len(found.delta) == 20_000
