"""Spans of database commands: name, collection and time, never what the command holds."""

from typing import Any

from pymongo import monitoring

_QUIET = frozenset({"hello", "ping", "endSessions"})


class CommandSpans(monitoring.CommandListener):
    """Makes a span of every command, below that of the request in whose context it is sent."""

    def __init__(self, tracer: Any) -> None:
        self._tracer = tracer
        self._open: dict[int, Any] = {}

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Open the span."""
        if event.command_name in _QUIET:
            return
        where = event.command.get(event.command_name)
        span = self._tracer.start_span(f"mongodb {event.command_name}")
        span.set_attributes({"db.system": "mongodb", "db.operation.name": event.command_name})
        if isinstance(where, str):
            span.set_attribute("db.collection.name", where)
        self._open[event.request_id] = span

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Close the span."""
        self._close(event.request_id, "")

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Close the span as failed."""
        self._close(event.request_id, "failed")

    def _close(self, request_id: int, failure: str) -> None:
        span = self._open.pop(request_id, None)
        if span is not None:
            if failure:
                span.set_attribute("error.type", failure)
            span.end()
