"""The driver's client as the store uses it, and the one place where the driver's errors become the service's."""

import contextlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    ExecutionTimeout,
    InvalidURI,
    OperationFailure,
    WriteConcernError,
    WTimeoutError,
)
from pymongo.monitoring import CommandListener

from service.errors import NotStorableError, StartError, StoreUnavailableError

_LOG = logging.getLogger(__name__)

Record = dict[str, Any]
"""A document as the driver gives it."""
Client = AsyncIOMotorClient[Record]
Database = AsyncIOMotorDatabase[Record]
Collection = AsyncIOMotorCollection[Record]

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
"""MongoDB's limit for a document."""
PASSING_CODES = frozenset({6, 7, 50, 64, 89, 91, 189, 262, 9001, 11600, 11602, 14031})
"""Server errors that time mends: network, time limits, shutdown, step-down, a full disk."""
TOO_LARGE_CODES = frozenset({10334, 17419})
_BAD_VALUE = 2


def connect(uri: str, listeners: Sequence[CommandListener] = ()) -> Client:
    """Make the client; nothing is sent yet. Raises `StartError` when the URI is not one, or has a bad option.

    Of a bad option the driver only warns, and leaves it out: with `tls=yes` it would send everything in the clear.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        client = _make_client(uri, listeners)
    for warning in (str(each.message) for each in told if each.category is UserWarning):
        if not warning.startswith("Unknown option"):
            client.close()
            raise StartError(f"PATCHBAY_MONGODB_URI has a bad option: {warning}.")
        _LOG.warning("PATCHBAY_MONGODB_URI: %s", warning)
    return client


def _make_client(uri: str, listeners: Sequence[CommandListener]) -> Client:
    """Make the client, as `connect` says.

    Timeouts are such that a caller hears within seconds that the database is away. `wTimeoutMS` bounds the wait for a
    majority: what happened to the write is then unknown, and its write id tells later.
    """
    try:
        return AsyncIOMotorClient(
            uri,
            appname="patchbay",
            event_listeners=listeners,
            w="majority",
            wTimeoutMS=8000,
            readConcernLevel="majority",
            readPreference="primary",  # a write is decided by what is read, and its caller reads what it has written
            retryWrites=True,
            retryReads=True,
            serverSelectionTimeoutMS=4000,
            connectTimeoutMS=3000,
            socketTimeoutMS=20000,
            uuidRepresentation="standard",
            tz_aware=True,
        )
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise StartError("PATCHBAY_MONGODB_URI is not a MongoDB URI that the driver takes.") from error
    except OSError as error:
        raise StartError(
            f"PATCHBAY_MONGODB_URI names a file that cannot be read ({error.strerror}): look at its tls options."
        ) from error


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into `StoreUnavailableError` and `NotStorableError`; what is left is a fault of ours."""
    try:
        yield
    except (ConnectionFailure, ExecutionTimeout, WTimeoutError, WriteConcernError) as error:
        raise unavailable() from error
    except DocumentTooLarge as error:
        raise too_large_to_store() from error
    except OperationFailure as error:
        if is_passing(error):
            raise unavailable() from error
        if _is_too_large(error):
            raise too_large_to_store() from error
        raise


def _is_too_large(error: OperationFailure) -> bool:
    """Tell whether a document is larger than the server takes; the driver sends some that are."""
    return error.code in TOO_LARGE_CODES or (error.code == _BAD_VALUE and "too large" in str(error))


def too_large_to_store() -> NotStorableError:
    """Return the error of a record that passes the limit of the database."""
    return NotStorableError("The document passes the database's limit of 16 MiB.")


def unavailable() -> StoreUnavailableError:
    """Return the error that says the database is away."""
    return StoreUnavailableError("The database cannot be reached at present. Try again shortly.")


def is_passing(error: OperationFailure) -> bool:
    """Tell whether the server's refusal is one that time mends."""
    details = error.details or {}
    reports = [details, *details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
    labelled = error.has_error_label("RetryableWriteError") or error.has_error_label("TransientTransactionError")
    return labelled or error.code in PASSING_CODES or any(each.get("code") in PASSING_CODES for each in reports)
