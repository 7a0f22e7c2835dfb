"""What was read or written lately."""

from service.store import recent
from service.store.recent import Recent

LARGEST = recent._LARGEST_BYTES
MOST = recent._MOST_BYTES // (LARGEST + recent._ENTRY_BYTES)
"""So many of the largest fit."""


def test_what_was_put_is_found_again_and_again() -> None:
    held = Recent[int]()
    held.put("a", 3, 10)

    assert [held.find("a"), held.find("a"), held.find("b")] == [3, 3, None]


def test_what_is_taken_is_found_no_more() -> None:
    held = Recent[int]()
    held.put("a", 3, 10)

    assert [held.take("a"), held.take("a"), held.find("a")] == [3, None, None]


def test_what_is_newer_takes_the_place_of_the_older() -> None:
    held = Recent[int]()
    for value in range(2 * MOST):
        held.put("a", value, LARGEST)
    held.put("b", 1, LARGEST)

    assert [held.find("a"), held.find("b")] == [2 * MOST - 1, 1]


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    held = Recent[int]()
    for number in range(MOST):
        held.put(str(number), number, LARGEST)
    held.find("0")
    held.put("one more", MOST, LARGEST)

    assert [held.find("0"), held.find("1"), held.find("2")] == [0, None, 2]


def test_what_was_taken_makes_room() -> None:
    held = Recent[int]()
    for number in range(MOST):
        held.put(str(number), number, LARGEST)
    held.take("5")
    held.put("one more", MOST, LARGEST)

    assert held.find("0") == 0


def test_what_is_too_large_is_not_kept_and_drops_what_was() -> None:
    held = Recent[int]()
    held.put("a", 3, LARGEST)
    held.put("a", 4, LARGEST + 1)

    assert held.find("a") is None


def test_the_smallest_are_bounded_in_number() -> None:
    """Their text is nothing beside what holds it."""
    held = Recent[int]()
    for value in range(100_000):
        held.put(str(value), value, 1)

    assert held.find("0") is None
    assert held.find("80000") == 80_000
