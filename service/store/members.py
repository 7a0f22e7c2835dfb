"""Indexes of members of content, for the filters and parents that definitions of types name."""

import hashlib
from collections.abc import Sequence

from service.errors import InvalidRequestError
from service.store.documents import encode_name
from service.store.mongo import Collection, Database, translated

_MOST_INDEXES = 56
"""MongoDB allows 64 in a collection, and the service has its own."""


def member_path(path: Sequence[str]) -> str:
    """Return where a member of content is stored; no name in it can be read as an operator."""
    return ".".join(("content", *map(encode_name, path)))


class MongoIndexes:
    """Makes indexes of the collection `resources`."""

    def __init__(self, database: Database) -> None:
        self._resources: Collection = database["resources"]

    async def ensure_members(self, members: Sequence[tuple[str, ...]], *, dry_run: bool = False) -> None:
        """Make an index of each member; it serves all types, and none is dropped with a definition."""
        with translated():
            known = await self._resources.index_information()
            missing = [path for path in members if _name(path) not in known]
            if len(known) + len(missing) > _MOST_INDEXES:
                raise InvalidRequestError(
                    f"{len(known)} indexes are in use and {_MOST_INDEXES} are possible; name fewer.", field="indexes"
                )
            for path in () if dry_run else missing:
                keys = [("type", 1), (member_path(path), 1), ("created", 1), ("_id", 1)]
                await self._resources.create_index(keys, name=_name(path))


def _name(path: Sequence[str]) -> str:
    return "member " + hashlib.sha256(member_path(path).encode()).hexdigest()[:24]
