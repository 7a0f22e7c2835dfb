"""Indexes of members of content, for the filters and parents that definitions of types name."""

import hashlib
from collections.abc import Sequence

from service.errors import InvalidRequestError
from service.store.documents import encode_name
from service.store.mongo import Collection, Database, translated

_MOST_INDEXES = 56
"""MongoDB allows 64 in a collection, and the service has its own."""
_PREFIX = "member "


def member_path(path: Sequence[str]) -> str:
    """Return where a member of content is stored; no name in it can be read as an operator."""
    return ".".join(("content", *map(encode_name, path)))


class MongoIndexes:
    """Makes indexes of the collection `resources`."""

    def __init__(self, database: Database) -> None:
        self._resources: Collection = database["resources"]

    async def ensure_members(self, members: Sequence[tuple[str, ...]], *, dry_run: bool = False) -> None:
        """Make an index of each member; it serves all types. Those of other members go when room is short."""
        with translated():
            known = await self._resources.index_information()
            wanted = {_name(path): path for path in members}
            missing = [name for name in wanted if name not in known]
            idle = [name for name in known if name.startswith(_PREFIX) and name not in wanted]
            excess = max(0, len(known) + len(missing) - _MOST_INDEXES)
            if excess > len(idle):
                raise InvalidRequestError(
                    f"{len(known) - len(idle)} indexes are in use and {_MOST_INDEXES} are possible; name fewer, "
                    "here or in the definitions of other types.",
                    field="indexes",
                )
            if dry_run:
                return
            for name in idle[:excess]:
                await self._resources.drop_index(name)
            for name in missing:
                keys = [("type", 1), (member_path(wanted[name]), 1), ("created", 1), ("_id", 1)]
                await self._resources.create_index(keys, name=name)


def _name(path: Sequence[str]) -> str:
    return _PREFIX + hashlib.sha256(member_path(path).encode()).hexdigest()[:24]
