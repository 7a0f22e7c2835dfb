"""The refusals that every reader shares: too many bytes, too many seconds. Knows no way of obtaining a document."""

from service.errors import SourceTimeoutError, TooLargeError


def too_large(max_bytes: int) -> TooLargeError:
    """Make the error for an input of more than `max_bytes`."""
    return TooLargeError(
        f"It is larger than max_input_bytes, which is {max_bytes} bytes.", limit="max_input_bytes", maximum=max_bytes
    )


def too_slow(timeout_s: float) -> SourceTimeoutError:
    """Make the error for an input that did not arrive within `timeout_s`."""
    return SourceTimeoutError(f"The source did not deliver the document within {timeout_s:g} seconds.")
