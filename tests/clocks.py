"""The machine's clock, for tests that cannot wait until it is later."""

from datetime import UTC, datetime, timedelta


class ShiftedClock:
    """The machine's clock, set forward at will."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead
