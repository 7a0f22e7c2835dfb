"""Moments as text."""

from typing import Annotated

from msgspec import Meta

Timestamp = Annotated[str, Meta(extra_json_schema={"format": "date-time"}, examples=["2026-01-02T03:04:05.000000Z"])]
"""A moment as `core.timestamp` writes it. BSON dates end at milliseconds; this text is stored and sorts as it is."""
