"""Documents that are stored resources."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from msgspec import Meta

from service.core.timestamp import parse_timestamp
from service.model import Document, Reading, Source
from service.ports import StoredDocuments


class StoredSource(Source, frozen=True):
    """A resource by its id, or by an identifier where the type is given; now, at a version, or at a time."""

    id: str
    resource_type: str | None = None
    version: Annotated[int, Meta(ge=1)] | None = None
    at: str | None = None

    def __post_init__(self) -> None:
        """Refuse a time that is none, and a version and a time at once."""
        if self.version is not None and self.at is not None:
            raise ValueError("it takes one of `version` and `at`")
        if self.at is not None:
            try:
                parse_timestamp(self.at)
            except ValueError as error:
                raise ValueError(f"in its field `at`, {error}") from error

    @property
    def moment(self) -> datetime | None:
        """The time, where there is one."""
        return None if self.at is None else parse_timestamp(self.at)


class StoredReader:
    """Reads the content of resources. `documents` is asked when it is needed: the store opens after the readers."""

    types = ("resource",)
    source = StoredSource

    def __init__(self, documents: Callable[[], StoredDocuments]) -> None:
        self._documents = documents

    async def read(self, source: StoredSource, reading: Reading) -> Document:
        """Return the content as JSON."""
        text = await self._documents().read_stored(
            source.id, source.resource_type, reading.caller, version=source.version, at=source.moment
        )
        reading.hold(len(text))
        return Document(text, format="json")
