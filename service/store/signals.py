"""Signals of new events, from the deployment's change stream."""

from collections.abc import AsyncGenerator

from service.store.mongo import Collection, Database, Record, translated

_AWAIT_MS = 1000


class EventSignals:
    """Follows the feed's counter, which moves once for many events: the driver hands a stream over change by change.

    What is missed while the stream is away, the followers' poll finds.
    """

    def __init__(self, database: Database) -> None:
        self._counters: Collection = database["counters"]

    async def follow(self) -> AsyncGenerator[bool, None]:
        """Yield True for each batch of new events, and False about once a second while there is none."""
        with translated():
            moves: list[Record] = [{"$match": {"documentKey._id": "feed"}}, {"$project": {"_id": 1}}]
            async with self._counters.watch(moves, max_await_time_ms=_AWAIT_MS) as stream:
                while stream.alive:
                    yield await stream.try_next() is not None
