"""Cursors come back as they went, and no others are taken."""

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from service.api.paging import cursor_of, limit_of, next_link, write_cursor
from service.errors import InvalidRequestError


@given(st.text(max_size=50), st.integers(-(2**53), 2**53))
def test_a_cursor_comes_back(text: str, number: int) -> None:
    request = make_mocked_request("GET", f"/list?cursor={write_cursor('list', (text, number))}")

    assert cursor_of(request, "list", tuple[str, int]) == (text, number)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "%00",
        "é",
        "a" * 5000,
        write_cursor("other", ["a", 1]),
        write_cursor("list", ["a", "b"]),
        "W10",
        "bnVsbA",
    ],
)
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidRequestError, match="cursor"):
        cursor_of(make_mocked_request("GET", f"/list?cursor={cursor}"), "list", tuple[str, int])


@pytest.mark.parametrize("limit", ["0", "501", "-1", "many", "", "1e2", "٣", "9" * 50])
def test_a_limit_out_of_bounds_is_refused(limit: str) -> None:
    with pytest.raises(InvalidRequestError, match="limit"):
        limit_of(make_mocked_request("GET", f"/list?limit={limit}"))


def test_the_link_keeps_the_query() -> None:
    request = make_mocked_request("GET", "/list?status=failed&cursor=old")

    assert next_link(request, "new") == {"Link": '</list?status=failed&cursor=new>; rel="next"'}
    assert next_link(request, None) == {}
