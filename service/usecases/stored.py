"""Stored resources as inputs of a comparison."""

from datetime import datetime

from service.core.timestamp import format_timestamp
from service.errors import LookupFailedError, SourceNotFoundError
from service.model import Caller, Resource
from service.usecases.histories import at_version
from service.usecases.permission import check_found, check_type
from service.usecases.shelf import Shelf
from service.usecases.writing import Target, find_kept


class StoredResources:
    """Reads the content of resources, as they stand or stood."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def read_stored(
        self,
        reference: str,
        resource_type: str | None,
        caller: Caller,
        *,
        version: int | None = None,
        at: datetime | None = None,
    ) -> bytes:
        """Return the content; see `ports.StoredDocuments`."""
        check_type(caller, resource_type)  # before looking: whoever has no grant does not learn what there is
        resource = await self._find(reference, resource_type)
        check_found(caller, resource.type)
        if at is not None:
            version = await self._shelf.timeline.find_version_at(resource.id, format_timestamp(at))
            if version is None:
                raise SourceNotFoundError("There was no version of the resource at that time.", field="at")
        if version is not None:
            try:
                resource = await at_version(resource, version, self._shelf)
            except LookupFailedError as error:
                raise SourceNotFoundError(error.detail, field="version") from error
        if resource.deleted:
            raise SourceNotFoundError("The resource was deleted; name an earlier version of it.")
        return resource.text

    async def _find(self, reference: str, resource_type: str | None) -> Resource:
        if resource_type is not None:
            try:
                return await find_kept(Target(resource_type, reference), self._shelf)
            except LookupFailedError as error:
                raise SourceNotFoundError(error.detail, field="id") from error
        resource = await self._shelf.resources.find(reference)
        if resource is None:
            raise SourceNotFoundError(
                "There is no resource with this id; an identifier needs `resourceType`.", field="id"
            )
        return resource
