"""A caller may burst, then keep to the rate; callers do not count for each other."""

from service.access import rates
from service.access.rates import RateLimiter


def test_burst_then_rate() -> None:
    limiter = RateLimiter(10)

    waits = [limiter.take("ann", 0.0) for _ in range(21)]

    assert waits[:20] == [0.0] * 20
    assert waits[20] == 0.1
    assert limiter.take("bob", 0.0) == 0.0
    assert limiter.take("ann", 0.1) == 0.0
    assert limiter.take("ann", 0.1) > 0


def test_zero_limits_nothing() -> None:
    assert RateLimiter(0).take("ann", 0.0) == 0.0


def test_slow_rates_let_one_through() -> None:
    limiter = RateLimiter(0.5)

    assert limiter.take("ann", 0.0) == 0.0
    assert limiter.take("ann", 0.0) == 2.0


def test_nobody_waits_for_longer_than_a_day() -> None:
    limiter = RateLimiter(5e-324)

    assert limiter.take("ann", 0.0) == 0.0
    assert limiter.take("ann", 0.0) == 86_400.0


def test_thousand_callers_each_keep_to_the_rate() -> None:
    """Each comes twice as often as allowed for ten seconds: the burst and the rate are let in, no more and no less."""
    limiter = RateLimiter(10)
    callers = [f"caller-{number}" for number in range(1000)]

    let_in = dict.fromkeys(callers, 0)
    for tick in range(200):
        for caller in callers:
            let_in[caller] += limiter.take(caller, tick / 20) == 0.0

    assert set(let_in.values()) == {20 + 99}


def test_table_of_callers_is_bounded_and_forgets_who_stayed_away_longest() -> None:
    limiter = RateLimiter(0.5)
    limiter.take("away", 0.0)
    limiter.take("ann", 0.0)

    for number in range(2 * rates._MOST_CALLERS):
        limiter.take(f"other-{number}", 0.0)
        assert limiter.take("ann", 0.0) > 0

    assert len(limiter._buckets) == rates._MOST_CALLERS
    assert limiter.take("away", 0.0) == 0.0
