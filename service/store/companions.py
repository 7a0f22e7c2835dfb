"""Records that change in one transaction: with a resource (`transactions`), or with one another."""

import asyncio
from collections.abc import Sequence

from bson import encode
from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo import ReadPreference
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from service.errors import ServiceError
from service.model import Companion
from service.store.mongo import MAX_DOCUMENT_BYTES, Database, too_large_to_store, translated, unavailable

_PATIENCE_S = 15.0
_MAJORITY = WriteConcern(w="majority", wtimeout=8000)


async def write_together(database: Database, companions: Sequence[Companion]) -> None:
    """Write all or nothing; raise the `conflict` of the first whose wish is not met."""

    async def write(session: AsyncIOMotorClientSession) -> None:
        for companion in companions:
            await change_companion(database, companion, session)

    with translated():
        try:
            async with asyncio.timeout(_PATIENCE_S), await database.client.start_session() as session:
                try:
                    await session.with_transaction(write, ReadConcern("snapshot"), _MAJORITY, ReadPreference.PRIMARY)
                except ServiceError:
                    await await_majority(database, session)
                    raise
        except TimeoutError as error:
            raise unavailable() from error


async def find_conflict(database: Database, companions: Sequence[Companion]) -> ServiceError | None:
    """Return the `conflict` of the first whose wish is not met as things stand; nothing is written.

    Raises `NotStorableError` for a record that the database could not hold.
    """
    for companion in companions:
        is_new = companion.action == "insert"
        if len(encode({"_id": companion.id, **companion.fields})) > MAX_DOCUMENT_BYTES:
            raise too_large_to_store()
        wanted = {"_id": companion.id, **({} if is_new else companion.expected)}
        with translated():
            found = await database[companion.collection].find_one(wanted, {"_id": 1})
        if (found is None) != is_new:
            return companion.conflict
    return None


async def await_majority(database: Database, session: AsyncIOMotorClientSession) -> None:
    """Wait until all that the session's transaction saw is to be read outside of it, too.

    A transaction sees what another has committed a little before a majority has it: whoever reads what stands in the
    way, once a wish was refused, would not find it.
    """
    await database["applications"].find_one({"_id": ""}, {"_id": 1}, session=session)


async def change_companion(database: Database, companion: Companion, session: AsyncIOMotorClientSession) -> None:
    """Change one record inside a transaction; raise its `conflict` where its wish is not met."""
    collection = database[companion.collection]
    if companion.action == "insert":
        try:
            await collection.insert_one({"_id": companion.id, **companion.fields}, session=session)
        except DuplicateKeyError as error:
            raise companion.conflict from error
        return
    wanted = {"_id": companion.id, **companion.expected}
    if companion.action == "replace":
        found = (await collection.replace_one(wanted, dict(companion.fields), session=session)).matched_count
    else:
        found = (await collection.delete_one(wanted, session=session)).deleted_count
    if not found:
        raise companion.conflict
