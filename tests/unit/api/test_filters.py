"""Queries of lists, read without a service."""

from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from service.api.filters import OPERATORS, read_fields, read_filters, read_order
from service.core.listing import Filter, Order, project
from service.errors import InvalidRequestError
from service.store.filtering import to_match

VALUES = st.text(st.characters(codec="utf-8"), max_size=30)


def request(query: dict[str, str]) -> Any:
    return make_mocked_request("GET", str(URL("/v1/clinic").with_query(query)))


@given(st.dictionaries(VALUES, VALUES, max_size=4), st.sampled_from(OPERATORS))
def test_any_query_is_a_filter_or_refused(query: dict[str, str], operator: str) -> None:
    """Whatever is sent: no operator of the database but those of the table, and none at the root."""
    for asked in (query, {f"{name}[{operator}]": text for name, text in query.items()}):
        try:
            filters = read_filters(request(asked))
        except InvalidRequestError:
            continue
        match = to_match("clinic", filters)
        assert set(match) <= {"type", "deleted", "$and"}
        for condition in match.get("$and", ()):
            ((name, operators),) = condition.items()
            assert name in ("_id", "created", "updated") or name.startswith("content.")
            assert not any(step.startswith("$") for step in name.split("."))
            assert set(operators) <= {f"${each}" for each in OPERATORS} | {"$regex"}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("a", "1", 1),
        ("a", "1.5", 1.5),
        ("a", "true", True),
        ("a", "null", None),
        ("a", "text", "text"),
        ("a", '"1"', "1"),
        ("a", "", ""),
        ("a", "NaN", "NaN"),
        ("a", '{"a":1', '{"a":1'),
        ("id", "12", "12"),
        ("createdAt", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.000000Z"),
        ("a[in]", "1,b", [1, "b"]),
        ("a[in]", '[1,"b,c"]', [1, "b,c"]),
        ("id[nin]", "1,2", ["1", "2"]),
        ("a[prefix]", "1", "1"),
        ("a[prefix]", '"x y"', "x y"),
        ("a[exists]", "false", False),
    ],
)
def test_values_are_literals_or_text(name: str, text: str, value: Any) -> None:
    (found,) = read_filters(request({name: text}))

    assert found.value == value
    assert type(found.value) is type(value)


def test_parameters_of_the_list_are_no_filters() -> None:
    asked = request({"sort": "-a.b,id", "fields": "a,b.c", "limit": "3", "cursor": "x", "a.b[gt]": "1"})

    assert read_filters(asked) == (Filter(("a", "b"), "gt", 1),)
    assert read_order(asked) == (Order(("a", "b"), descending=True), Order(("id",)))
    assert read_fields(asked) == (("a",), ("b", "c"))


def test_members_are_picked_through_arrays() -> None:
    document = {"id": "1", "a": {"b": 1, "c": 2}, "p": [{"x": 1, "y": 2}, 3], "q": {"z": 1}}

    assert project(document, (("a", "b"), ("p", "x"), ("q",), ("q", "z"), ("none",))) == {
        "a": {"b": 1},
        "p": [{"x": 1}, 3],
        "q": {"z": 1},
    }
