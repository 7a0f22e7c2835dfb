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


@pytest.mark.parametrize(
    ("pattern", "path", "claim"),
    [
        ("", "", True),
        ("", "/a", True),
        ("/a", "/a", True),
        ("/a", "/a/b/c", True),
        ("/a", "", False),
        ("/a", "/b", False),
        ("/*", "/b", True),
        ("/*/id", "/b/id", True),
        ("/*/id", "/id", False),
        ("/**/id", "/id", True),
        ("/**/id", "/a/b/c/id", True),
        ("/**/id", "/a/b/c/ido", False),
        ("/**", "", True),
        ("/a/**/b/**/c", "/a/x/b/c", True),
        ("/a/**/b/**/c", "/a/x/c/b", False),
        ("/a/**/**/c", "/a/c", True),
        ("/a/*/**", "/a", False),
        ("/a/*/**", "/a/b", True),
    ],
)
def test_patterns_cover_what_they_match_and_what_lies_below(pattern: str, path: str, claim: bool) -> None:
    assert pointer.covers(pointer.parse_pattern(pattern), pointer.parse_pointer(path)) is claim
