import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import pointer


@given(st.lists(st.text()))
def test_format_and_parse_are_inverse(tokens: list[str]) -> None:
    assert pointer.parse_pointer(pointer.format_pointer(tokens)) == tuple(tokens)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", ()),
        ("/", ("",)),
        ("/a~1b", ("a/b",)),
        ("/m~0n", ("m~n",)),
        ("/~01", ("~1",)),
        ("/foo/0/-", ("foo", "0", "-")),
    ],
)
def test_pointers_are_read_as_the_rfc_says(text: str, tokens: tuple[str, ...]) -> None:
    assert pointer.parse_pointer(text) == tokens


@pytest.mark.parametrize("text", ["a", "a/b", "/~", "/~2", "/a~", " /a"])
def test_what_is_no_pointer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="pointer"):
        pointer.parse_pointer(text)


@pytest.mark.parametrize(
    ("token", "index"),
    [("0", 0), ("10", 10), ("01", None), ("-", None), ("-1", None), ("1e0", None), ("", None), ("٣", None)],
)
def test_indexes_are_digits_without_leading_zeros(token: str, index: int | None) -> None:
    assert pointer.parse_index(token) == index
