"""Documents that are part of the request itself."""

import msgspec

from service.model import Document, Format, Reading, Source


class InlineSource(Source, frozen=True):
    """Any JSON value, kept as the slice of the request that it is: nothing decodes it on the way."""

    value: msgspec.Raw


class InlineReader:
    """Hands on a JSON value of the request."""

    types = ("inline",)
    source = InlineSource

    async def read(self, source: InlineSource, reading: Reading) -> Document:  # noqa: ARG002
        """Return the value's own text."""
        return Document(bytes(source.value), format="json")


class RawSource(Source, frozen=True):
    """A document as text inside a JSON string."""

    value: str
    format: Format = "json"


class RawReader:
    """Hands on a text of the request."""

    types = ("raw",)
    source = RawSource

    async def read(self, source: RawSource, reading: Reading) -> Document:  # noqa: ARG002
        """Return the text as UTF-8."""
        return Document(source.value.encode(), format=source.format)
