from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.pairing import Pairing, stand_in_place
from tests.unit.core.documents import DOCUMENTS


@given(st.lists(DOCUMENTS, max_size=12), st.lists(DOCUMENTS, max_size=12))
def test_pairs_rise_and_leave_nothing_on_both_sides_between(before: list[Any], after: list[Any]) -> None:
    pairs = Pairing().pair(before, after)

    for (one, here), (two, there) in pairwise([(-1, -1), *pairs, (len(before), len(after))]):
        assert one < two
        assert here < there
        assert one + 1 == two or here + 1 == there


@pytest.mark.parametrize(
    ("before", "after", "pairs"),
    [
        pytest.param([1, 2, 3], [4, 5], [(0, 0), (1, 1)], id="scalars by position"),
        pytest.param([{"a": 1, "b": 1}, {"a": 2, "b": 2}], [{"a": 2, "b": 3}], [(1, 0)], id="what they share"),
        pytest.param([{"a": 1}], [5, {"a": 2}], [(0, 1)], id="like with like"),
        pytest.param([{"a": 1}, 5, 6], [{"a": 2}, 7, 8], [(0, 0), (1, 1), (2, 2)], id="the rest in order"),
        pytest.param([[1, 2, 3], [7, 8, 9]], [[7, 8, 0]], [(1, 0)], id="arrays by their items"),
    ],
)
def test_like_is_paired_with_like(before: list[Any], after: list[Any], pairs: list[tuple[int, int]]) -> None:
    assert Pairing().pair(before, after) == pairs


def test_a_member_that_identifies_decides_among_many() -> None:
    before = [{"n": 1, "id": place} for place in range(100)]
    after = [{"n": 2, "id": place} for place in range(10, 110)]

    pairing = Pairing()
    pairs = pairing.pair(before, after)

    assert {(place + 10, place) for place in range(90)} <= set(pairs)
    assert not pairing.bounded


def test_too_many_to_look_at_are_paired_in_order_and_said_to_be() -> None:
    pairing = Pairing()

    pairs = pairing.pair([{"a": 1}] * 100, [{"a": 2}] * 90)

    assert pairs == [(place, place) for place in range(90)]
    assert pairing.bounded


def test_tries_run_out() -> None:
    pairing = Pairing(tries=10)

    pairing.pair([{"a": 1}] * 3, [{"a": 2}] * 3)
    assert not pairing.bounded

    pairing.pair([{"a": 1}] * 3, [{"a": 2}] * 3)
    assert pairing.bounded


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        pytest.param([{"id": 1, "a": 1}, {"id": 2}], [{"id": 1, "b": 1}, {"id": 2}], True, id="in place"),
        pytest.param([{"v": 1, "id": 1}, {"v": 1, "id": 2}], [{"id": 1}, {"id": 2}], True, id="a later member"),
        pytest.param([{"id": 1}, {"id": 2}], [{"id": 2}, {"id": 1}], False, id="swapped"),
        pytest.param([{"id": 1}, {"id": 2}], [{"id": 1}, {"id": 1}], False, id="repeated"),
        pytest.param([{"id": 1}, {"id": 2}], [{"id": 1}, {"id": 3}], False, id="another"),
        pytest.param([{"id": 1}, {"id": 2}], [{"id": True}, {"id": 2}], False, id="true is not one"),
        pytest.param([{"id": 1}, {"id": 2}], [{"id": 1}, 2], False, id="not an object"),
        pytest.param([1, 2], [1, 2], False, id="no objects"),
        pytest.param([{}, {"id": 1}], [{}, {"id": 1}], False, id="an empty object first"),
    ],
)
def test_items_stand_in_place_by_a_member_that_is_unique(before: list[Any], after: list[Any], verdict: bool) -> None:
    assert stand_in_place(before, after) is verdict


ROWS = st.lists(st.fixed_dictionaries({"v": st.integers(0, 1), "id": st.integers(0, 9)}), min_size=1, max_size=10)


@given(ROWS, ROWS)
def test_nothing_that_stands_in_place_is_equal_to_what_stands_elsewhere(
    before: list[dict[str, int]], after: list[dict[str, int]]
) -> None:
    if stand_in_place(before, after):
        equal = {(one, two) for one, item in enumerate(before) for two, other in enumerate(after) if item == other}
        assert all(one == two for one, two in equal)
