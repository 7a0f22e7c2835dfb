"""A caller may burst, then keep to the rate; callers do not count for each other."""

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
