"""Structured logs: one JSON object per line on standard error, with the id of the request being served."""

import json
import logging
import sys
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from aiohttp import BadContentDispositionHeader, BadContentDispositionParam
from aiohttp.http_exceptions import HttpProcessingError

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
TRACEPARENT: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The W3C trace context of the request being served, passed on to whatever the service calls for it."""

_ENCODER = json.JSONEncoder(default=str)
_QUOTING = frozenset({"pymongo", "bson"})
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """Writes a record and its extra members as one line of JSON. Documents and credentials are never logged."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        request_id = REQUEST_ID.get()
        if request_id is not None:
            line["requestId"] = request_id
        line.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        if record.exc_info:
            line["traceback"] = self._traceback(record.exc_info)
        return _ENCODER.encode(line)

    def _traceback(self, failure: tuple[type[BaseException], BaseException, Any] | tuple[None, None, None]) -> str:
        """Return the traceback without what the database's driver says: it quotes commands, documents among them."""
        text = self.formatException(failure)
        for error in _chain(failure[1]):
            if type(error).__module__.partition(".")[0] in _QUOTING:
                text = text.replace(str(error), f"(code {getattr(error, 'code', None)})")
        return text


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Give the error, and those that it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class MalformedRequestFilter(logging.Filter):
    """Makes one line without a traceback of a request that aiohttp's parser refuses: the request may hold a key."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record where it is of that kind; always keep it."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.msg, record.args, record.exc_info = "malformed request refused: %s", (type(error).__name__,), None
        return True


def set_up(level: str) -> None:
    """Send all logs of the process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    # What no line shows is not looked up for each of them ("Optimization" in Python's logging HOWTO).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for category in (BadContentDispositionHeader, BadContentDispositionParam):
        warnings.simplefilter("ignore", category)  # the part is refused with a problem; the warning quotes its header
    logging.getLogger("aiohttp.server").addFilter(MalformedRequestFilter())
    logging.getLogger("pymongo").setLevel(logging.ERROR)  # its warnings repeat what the store reports once
    logging.getLogger("asyncio").setLevel(logging.ERROR)
