"""Moments as they are stored: RFC 3339 text in UTC with six digits; the database's own dates end at milliseconds.

The text has one length and one form, so its order is the order of time, in queries too.
"""

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """Write a moment as stored and as shown.

    >>> to_text(datetime(2023, 11, 7, 5, 31, 56, tzinfo=UTC))
    '2023-11-07T05:31:56.000000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """Read a stored moment.

    >>> to_text(from_text("2023-11-07T05:31:56.000001Z"))
    '2023-11-07T05:31:56.000001Z'
    """
    return datetime.fromisoformat(text)
