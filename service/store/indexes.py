"""The indexes, made at start. Every query the service sends often is by `_id`, or by `resource`, the shard key."""

from pymongo import IndexModel
from pymongo.errors import CollectionInvalid, OperationFailure

from service.store.mongo import Database, translated
from service.store.retention import INDEX as RETENTION_INDEX

_WRITTEN_IN_TRANSACTIONS = ("confirmations", "counters", "families", "identifiers", "types")
"""Collections without an index of their own. One that a transaction has to make first gets in the way of others."""

_NAMESPACE_EXISTS = 48

_UNFED = IndexModel([("unfed", 1), ("at", 1), ("_id", 1)], partialFilterExpression={"unfed": True}, name="unfed")
"""What the feed has not taken yet."""
_EXPIRY = IndexModel("expires", expireAfterSeconds=0)
_INDEXES = {
    "resources": [
        IndexModel("undrained", sparse=True),  # what the relay has left to do, also after a crash
        # Lists of a type, by the members that every resource has; a deleted one is on none.
        IndexModel([("type", 1), ("deleted", 1), ("_id", 1)]),
        IndexModel([("type", 1), ("deleted", 1), ("created", 1), ("_id", 1)]),
        IndexModel([("type", 1), ("deleted", 1), ("updated", 1), ("_id", 1)]),
    ],
    "revisions": [
        # Who asks again for a write does not know its version. Only the few writes with an id of their caller count.
        IndexModel([("resource", 1), ("entries.w", 1)], partialFilterExpression={"given": True}, name="given_writes"),
        IndexModel(RETENTION_INDEX, name="retention"),  # what can be forgotten of a history, from the index alone
        _UNFED,
    ],
    "patches": [IndexModel([("resource", 1), ("at", -1), ("patch", -1)])],
    "patch_moves": [IndexModel([("resource", 1), ("patch", 1), ("at", 1), ("_id", 1)]), _UNFED],
    "applications": [
        IndexModel([("resource", 1), ("patch", 1), ("started", -1), ("_id", -1)]),
        IndexModel([("status", 1), ("deadline", 1)], partialFilterExpression={"status": "dispatched"}, name="overdue"),
    ],
    "rollouts": [
        IndexModel([("state", 1), ("leased", 1)]),
        IndexModel([("resource", 1), ("patch", 1), ("created", -1)]),
    ],
    "outbox": [
        IndexModel([("state", 1), ("due", 1)], partialFilterExpression={"state": "waiting"}, name="due"),
        IndexModel([("application", 1), ("attempt", 1)]),
        IndexModel([("provider", 1), ("created", -1), ("_id", -1)]),
    ],
    "events": [IndexModel("at")],
    "idempotency": [_EXPIRY],
    "jobs": [
        _EXPIRY,
        IndexModel("due", sparse=True),
        IndexModel([("finished_at", 1), ("owed", 1)], partialFilterExpression={"owed": {"$exists": True}}, name="owed"),
    ],
    "job_parts": [_EXPIRY],
}


async def ensure_indexes(database: Database) -> None:
    """Make the collections and indexes that are missing."""
    with translated():
        for name in set(_WRITTEN_IN_TRANSACTIONS) - set(await database.list_collection_names()):
            await _make_collection(database, name)
        for name, indexes in _INDEXES.items():
            await database[name].create_indexes(indexes)


async def _make_collection(database: Database, name: str) -> None:
    """Make a collection, unless another instance that starts at the same time is first."""
    try:
        await database.create_collection(name)
    except CollectionInvalid:  # the driver saw it
        return
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:  # the server saw it
            raise
