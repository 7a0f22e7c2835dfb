"""Resources as they were read lately, so that the content of a version is decoded once.

Nothing is answered from here alone: the database has said which version stands.
"""

from collections import OrderedDict

from service.model import Resource

_MOST_BYTES = 16 * 1024 * 1024
_LARGEST_BYTES = 256 * 1024


class Recent:
    """The most recently read resources of this process, bounded by the size of their text."""

    def __init__(self) -> None:
        self._resources: OrderedDict[str, Resource] = OrderedDict()
        self._bytes = 0

    def find(self, resource_id: str, version: int, updated_at: str) -> Resource | None:
        """Return the resource if it was read at this version. A version made at another moment is another one."""
        resource = self._resources.get(resource_id)
        if resource is None or resource.version != version or resource.updated_at != updated_at:
            return None
        self._resources.move_to_end(resource_id)
        return resource

    def put(self, resource: Resource) -> None:
        """Keep a resource as it was just read, in place of those that were not asked for longest."""
        earlier = self._resources.pop(resource.id, None)
        if earlier is not None:
            self._bytes -= len(earlier.text)
        if len(resource.text) > _LARGEST_BYTES:
            return
        self._resources[resource.id] = resource
        self._bytes += len(resource.text)
        while self._bytes > _MOST_BYTES:
            _, oldest = self._resources.popitem(last=False)
            self._bytes -= len(oldest.text)
