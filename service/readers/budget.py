"""The refusals that every reader shares: too many bytes, too many seconds. Knows no way of obtaining a document."""

from service.errors import SourceTimeoutError, TooLargeError
from service.model import Reading


def too_large(reading: Reading) -> TooLargeError:
    """Make the error for an input above `reading.max_bytes`."""
    return TooLargeError(
        f"The input is larger than {reading.max_bytes} bytes, the limit PATCHBAY_MAX_INPUT_BYTES.",
        limit="PATCHBAY_MAX_INPUT_BYTES",
        maximum=reading.max_bytes,
    )


def too_slow(reading: Reading) -> SourceTimeoutError:
    """Make the error for an input that did not arrive within `reading.timeout_s`."""
    return SourceTimeoutError(f"The source did not deliver the document within {reading.timeout_s:g} seconds.")
