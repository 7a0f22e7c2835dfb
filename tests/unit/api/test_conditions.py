"""Entity tags in headers."""

import pytest
from aiohttp.test_utils import make_mocked_request

from service.api.conditions import read_conditions
from service.core.conditions import Conditions, Tags
from service.errors import InvalidRequestError


def read(name: str, *values: str) -> Conditions:
    return read_conditions(make_mocked_request("GET", "/", headers=[(name, value) for value in values]))


@pytest.mark.parametrize(
    ("values", "tags"),
    [
        (["*"], Tags(any=True)),
        ([" * "], Tags(any=True)),
        (['"3"'], Tags(versions=frozenset({3}))),
        (['"1","2" , "3"'], Tags(versions=frozenset({1, 2, 3}))),
        (['"1"', '"2"'], Tags(versions=frozenset({1, 2}))),
        (['"a,b", "2"'], Tags(versions=frozenset({2}))),
        (['W/"1", "2"'], Tags(versions=frozenset({2}))),
        (['"0"', '"01"', '"-1"', '""', '"99999999999999999999"'], Tags()),
        ([""], Tags()),
        ([", ,"], Tags()),
    ],
)
def test_if_match_lists_versions(values: list[str], tags: Tags) -> None:
    assert read("If-Match", *values).if_match == tags


def test_weak_tags_count_where_nothing_is_written() -> None:
    assert read("If-None-Match", 'W/"1"').if_none_match == Tags(versions=frozenset({1}))


@pytest.mark.parametrize("value", ["1", '"1', "W/1", '"1" "2"', "*, *", 'w/"1"', '"1"x', '"' + "x" * 5000 + '"'])
def test_malformed_lists_are_refused(value: str) -> None:
    with pytest.raises(InvalidRequestError):
        read("If-Match", value)


def test_without_headers_there_is_no_condition() -> None:
    assert read_conditions(make_mocked_request("GET", "/")) == Conditions()
