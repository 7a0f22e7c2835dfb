"""What a look over the database finds, and the way it looks: page by page, and twice at what seems wrong.

The database may be serving: what is read one after the other may not fit for a moment. What is still so at the second
look is a finding.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple

from service.store.mongo import Collection, Record, translated

_PAGE = 200
_PAUSE_S = 0.5


class Finding(NamedTuple):
    """Something that is not as it should be: with which record, what, and what to do about it.

    `is_wrong` is False for what only waits for a service to run. `mend` makes it good, and returns whether it could.
    """

    subject: str
    what: str
    advice: str
    is_wrong: bool = True
    mend: Callable[[], Awaitable[bool]] | None = None


Look = Callable[[Sequence[str]], Awaitable[list[Finding]]]
"""Look at the records with these ids, reading everything anew; `subject` of what is found is one of the ids."""


async def look_over(collection: Collection, look: Look, seen: Callable[[int], None]) -> AsyncIterator[Finding]:
    """Look at every record of the collection; `seen` is told how many a page had."""
    async for ids in _pages(collection):
        for finding in await _look_twice(look, ids):
            yield finding
        seen(len(ids))


async def _look_twice(look: Look, ids: Sequence[str]) -> list[Finding]:
    first = {(each.subject, each.what) for each in await look(ids)}
    if not first:
        return []
    await asyncio.sleep(_PAUSE_S)
    again = await look(sorted({subject for subject, _ in first}))
    return [each for each in again if (each.subject, each.what) in first]


async def _pages(collection: Collection) -> AsyncIterator[list[str]]:
    """Yield all ids; each page is a query of its own, because no cursor lives as long as a look may take."""
    query: Record = {}
    while True:
        with translated():
            found = await collection.find(query, {"_id": 1}).sort("_id", 1).limit(_PAGE).to_list(None)
        if not found:
            return
        yield [each["_id"] for each in found]
        query = {"_id": {"$gt": found[-1]["_id"]}}
