"""The retry schedule: at once, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h, then no more."""

import pytest

from service.core.schedule import SCHEDULE_S, wait_before

NOMINAL = [0, 5, 300, 1800, 7200, 18000, 36000, 36000]


@pytest.mark.parametrize(("tries", "nominal"), [*enumerate(NOMINAL)])
def test_waits_are_the_schedule_and_up_to_a_fifth_more(tries: int, nominal: float) -> None:
    waits = [wait_before(tries, f"key-{number}") for number in range(200)]

    assert all(wait is not None and nominal <= wait <= nominal * 1.2 for wait in waits)
    assert nominal == 0 or len(set(waits)) > 100


def test_there_is_an_end() -> None:
    assert wait_before(len(SCHEDULE_S), "key") is None
    assert wait_before(len(SCHEDULE_S), "key", wish_s=1.0) is None


def test_a_longer_wish_is_followed_up_to_a_day() -> None:
    assert wait_before(1, "key", wish_s=900.0) == 900.0
    assert wait_before(1, "key", wish_s=1e9) == 86400.0
    assert (wait_before(3, "key", wish_s=1.0) or 0) >= 1800
