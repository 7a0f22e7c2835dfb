"""The indexes, made at start. Every query the service sends often is by `_id`, or by `resource`, the shard key."""

from pymongo.errors import CollectionInvalid, OperationFailure

from service.store.mongo import Database, translated
from service.store.retention import INDEX as RETENTION_INDEX

_WRITTEN_IN_TRANSACTIONS = ("confirmations", "counters", "families", "identifiers", "types")
"""Collections without an index of their own. One that a transaction has to make first gets in the way of others."""

_NAMESPACE_EXISTS = 48


async def ensure_indexes(database: Database) -> None:
    """Make the collections and indexes that are missing."""
    with translated():
        for name in set(_WRITTEN_IN_TRANSACTIONS) - set(await database.list_collection_names()):
            await _make_collection(database, name)
        # What the relay has left to do, also after a crash.
        await database["resources"].create_index("undrained", sparse=True)
        # Lists of a type, by the members that every resource has; a deleted one is on none.
        for member in ("_id", "created", "updated"):
            tie = [("_id", 1)] if member != "_id" else []
            await database["resources"].create_index([("type", 1), ("deleted", 1), (member, 1), *tie])
        # Who asks again for a write does not know its version. Only the few writes with an id of their caller count.
        await database["revisions"].create_index(
            [("resource", 1), ("entries.w", 1)], partialFilterExpression={"given": True}, name="given_writes"
        )
        # What can be forgotten of a history, read from the index alone.
        await database["revisions"].create_index(RETENTION_INDEX, name="retention")
        for collection in ("revisions", "patch_moves"):  # what the feed has not taken yet
            await database[collection].create_index(
                [("unfed", 1), ("at", 1), ("_id", 1)], partialFilterExpression={"unfed": True}, name="unfed"
            )
        await database["events"].create_index("at")
        await database["outbox"].create_index(
            [("state", 1), ("due", 1)], partialFilterExpression={"state": "waiting"}, name="due"
        )
        await database["outbox"].create_index([("application", 1), ("attempt", 1)])
        await database["outbox"].create_index([("provider", 1), ("created", -1), ("_id", -1)])
        await database["patches"].create_index([("resource", 1), ("at", -1), ("patch", -1)])
        await database["applications"].create_index([("resource", 1), ("patch", 1), ("started", -1), ("_id", -1)])
        await database["patch_moves"].create_index([("resource", 1), ("patch", 1), ("at", 1), ("_id", 1)])
        await database["applications"].create_index(
            [("status", 1), ("deadline", 1)], partialFilterExpression={"status": "dispatched"}, name="overdue"
        )
        await database["rollouts"].create_index([("state", 1), ("leased", 1)])
        await database["rollouts"].create_index([("resource", 1), ("patch", 1), ("created", -1)])
        await database["idempotency"].create_index("expires", expireAfterSeconds=0)
        await database["jobs"].create_index("due", sparse=True)
        await database["jobs"].create_index(
            [("finished_at", 1), ("owed", 1)], partialFilterExpression={"owed": {"$exists": True}}, name="owed"
        )
        for collection in ("jobs", "job_parts"):
            await database[collection].create_index("expires", expireAfterSeconds=0)


async def _make_collection(database: Database, name: str) -> None:
    """Make a collection, unless another instance that starts at the same time is first."""
    try:
        await database.create_collection(name)
    except CollectionInvalid:  # the driver saw it
        return
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:  # the server saw it
            raise
