import pytest

from service.core.pointer import parse_pattern, parse_pointer
from service.core.trail import Trail


def walk(pattern: str, path: str) -> Trail:
    trail = Trail(parse_pattern(pattern))
    for token in parse_pointer(path):
        trail = trail.step(token)
    return trail


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
    assert walk(pattern, path).covered is claim


@pytest.mark.parametrize(
    ("pattern", "path", "matched", "is_lost"),
    [
        ("/a", "/a", True, False),
        ("/a", "/a/b", False, False),
        ("/a/b", "/a", False, False),
        ("/a/b", "/b", False, True),
        ("/**", "/a/b", True, False),
        ("/**/a", "/b/c", False, False),
    ],
)
def test_a_trail_knows_whether_it_matches_here_or_is_lost(
    pattern: str, path: str, matched: bool, is_lost: bool
) -> None:
    trail = walk(pattern, path)

    assert (trail.matched, trail.is_lost) == (matched, is_lost)


def test_a_star_in_a_pattern_is_one_token_of_any_text() -> None:
    assert walk("/*", "/**").covered
