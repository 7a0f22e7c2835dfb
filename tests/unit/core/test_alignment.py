import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import alignment
from service.core.alignment import Block, align, rising


def check(before: Sequence[object], after: Sequence[object], blocks: list[Block]) -> None:
    """Blocks are equal runs that rise on both sides and do not touch."""
    for block in blocks:
        assert block.length > 0
        assert list(before[block.before :][: block.length]) == list(after[block.after :][: block.length])
        assert block.before + block.length <= len(before)
    for block, following in pairwise(blocks):
        assert block.before + block.length <= following.before
        assert block.after + block.length <= following.after


def longest(before: Sequence[object], after: Sequence[object]) -> int:
    """The length of a longest common subsequence, by the book."""
    row = [0] * (len(after) + 1)
    for element in before:
        diagonal = 0
        for place, other in enumerate(after, start=1):
            diagonal, row[place] = row[place], diagonal + 1 if element == other else max(row[place], row[place - 1])
    return row[-1]


@given(st.lists(st.integers(0, 4), max_size=20), st.lists(st.integers(0, 4), max_size=20))
def test_short_sequences_are_aligned_as_well_as_can_be(before: list[int], after: list[int]) -> None:
    found = align(before, after)

    check(before, after, found.blocks)
    assert sum(block.length for block in found.blocks) == longest(before, after)
    assert not found.bounded


@given(
    st.integers(0, 2**32),
    st.sampled_from([2, 10, 10_000]),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 2), st.integers(0, 3)), max_size=12),
)
def test_long_sequences_are_aligned_without_a_table(seed: int, values: int, edits: list[tuple[int, int, int]]) -> None:
    before = random.Random(seed).choices(range(values), k=300)
    after = list(before)
    for place, removed, added in edits:
        after[place : place + removed] = [-1] * added
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(alignment, "MAX_CELLS", 64)
        found = align(before, after)

    check(before, after, found.blocks)


@pytest.mark.parametrize(
    ("before", "after", "least"),
    [
        pytest.param([0, 1] * 40_000, [1, 0] * 40_000, 79_999, id="alternating, shifted by one"),
        pytest.param([0] * 80_000, [0] * 70_000, 70_000, id="all alike"),
        pytest.param(list(range(80_000)), list(range(80_000))[::-1], 1, id="reversed"),
        pytest.param(list(range(80_000)), list(range(-1, 79_000)), 79_000, id="one more at the head"),
        pytest.param([*range(40_000), *range(40_000)], [*range(1, 40_000), *range(40_000)], 79_999, id="in pairs"),
        pytest.param(list(range(80_000)), list(range(80_000, 160_000)), 0, id="nothing in common"),
        pytest.param([*range(60_000, 80_000), *range(60_000)], list(range(80_000)), 60_000, id="rotated"),
    ],
)
def test_long_repetitive_sequences_are_aligned_well(before: list[int], after: list[int], least: int) -> None:
    found = align(before, after)

    check(before, after, found.blocks)
    assert sum(block.length for block in found.blocks) >= least


def test_sparse_edits_in_a_long_sequence_of_few_values_are_found() -> None:
    generator = random.Random(1)
    before = generator.choices(range(10), k=100_000)
    after = list(before)
    for place in sorted(generator.sample(range(100_000), 500), reverse=True):
        after[place : place + generator.randrange(2)] = [generator.randrange(10)] * generator.randrange(2)

    found = align(before, after)

    check(before, after, found.blocks)
    assert sum(block.length for block in found.blocks) >= 99_400
    assert not found.bounded


def test_what_cannot_be_cut_is_matched_by_position_and_says_so() -> None:
    generator = random.Random(2)
    before, after = (generator.choices(range(2), k=20_000) for _ in range(2))

    found = align(before, after)

    check(before, after, found.blocks)
    assert found.bounded


@given(st.lists(st.integers(0, 30), unique=True))
def test_the_rising_chain_is_as_long_as_can_be(values: list[int]) -> None:
    chain = rising(values)

    assert all(values[one] < values[two] and one < two for one, two in pairwise(chain))
    assert len(chain) == longest(values, sorted(values))
