from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.versions import MAX_LENGTH, Version, parse_version

NUMBERS = st.lists(st.integers(0, 10**30), min_size=1, max_size=4)
LABELS = st.lists(st.sampled_from(["alpha", "beta", "rc", "1", "2", "10", "x-y"]), max_size=3)


def parsed(text: str) -> Version:
    version = parse_version(text)
    assert version is not None
    return version


def spell(numbers: list[int], labels: list[str]) -> str:
    return ".".join(map(str, numbers)) + ("-" + ".".join(labels) if labels else "")


def test_semver_examples_sort_as_the_specification_says() -> None:
    texts = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
    ]

    assert sorted(sorted(texts), key=parsed) == texts


@pytest.mark.parametrize(
    ("lower", "higher"), [("9.6", "16"), ("v1.2.3", "1.2.4"), ("1.9", "1.10"), ("2", "2.0.1"), ("1.0-rc1", "1.0")]
)
def test_lower_versions_sort_before_higher_ones(lower: str, higher: str) -> None:
    assert parsed(lower) < parsed(higher)


@pytest.mark.parametrize(
    ("left", "right"), [("1", "1.0.0"), ("v1.2", "V1.2"), ("01.002", "1.2"), ("1.0+a", "1.0+b"), ("0.0", "0")]
)
def test_spellings_of_one_version_are_equal(left: str, right: str) -> None:
    assert parsed(left) == parsed(right)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v",
        "latest",
        "1.",
        ".1",
        "1..2",
        "2024-01-31",
        "1.0-",
        "1.0-a..b",
        "1 2",
        "\u0661.\u0662",
        "-1",
        "1.0\n",
        "9" * 257,
    ],
)
def test_other_texts_are_no_versions(text: str) -> None:
    assert parse_version(text) is None


def test_longest_version_is_still_read() -> None:
    assert parse_version("9" * MAX_LENGTH) is not None


@given(NUMBERS, NUMBERS)
def test_releases_compare_as_their_numbers_padded_with_zeros(left: list[int], right: list[int]) -> None:
    width = max(len(left), len(right))
    padded = [each + [0] * (width - len(each)) for each in (left, right)]

    assert (parsed(spell(left, [])) < parsed(spell(right, []))) == (padded[0] < padded[1])


@given(st.lists(st.tuples(NUMBERS, LABELS), max_size=6), st.randoms(use_true_random=False))
def test_order_does_not_depend_on_the_order_met(drawn: list[tuple[list[int], list[str]]], random: Random) -> None:
    versions = [parsed(spell([*numbers, 1], labels)) for numbers, labels in drawn]
    shuffled = random.sample(versions, len(versions))

    assert sorted(shuffled) == sorted(versions)
