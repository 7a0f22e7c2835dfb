"""Timestamps as written everywhere: RFC 3339, UTC, six fractional digits, `Z`; of one width, so that they sort."""

from datetime import UTC, datetime


def format_timestamp(moment: datetime) -> str:
    """Write an aware moment.

    >>> format_timestamp(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05.000000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """Read an RFC 3339 timestamp with any offset and up to six fractional digits; `ValueError` when it is none.

    >>> parse_timestamp("2026-01-02T04:04:05+01:00") == parse_timestamp("2026-01-02T03:04:05.000000Z")
    True
    """
    try:
        moment = datetime.fromisoformat(text.upper())  # `t` and `z` may be small letters (RFC 3339, section 5.6)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:  # an offset may lead out of the years there are
        raise ValueError(f"{text[:40]!r} is no RFC 3339 time such as 2026-01-02T03:04:05Z") from error
    raise ValueError(f"{text[:40]!r} has no offset; end it in Z or +hh:mm")
