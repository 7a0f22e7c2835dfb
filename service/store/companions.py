"""Records that change in one transaction: with a resource (`transactions`), or with one another."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from bson import encode
from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo import ReadPreference
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from service.errors import ServiceError
from service.model import Companion
from service.store.mongo import MAX_DOCUMENT_BYTES, Database, Record, too_large_to_store, translated, unavailable

_PATIENCE_S = 15.0
_MAJORITY = WriteConcern(w="majority", wtimeout=8000)


async def write_together(database: Database, companions: Sequence[Companion]) -> None:
    """Write all or nothing; raise the `conflict` of the first whose wish is not met."""

    async def write(session: AsyncIOMotorClientSession) -> None:
        for companion in companions:
            await change_companion(database, companion, session)

    with translated():
        try:
            async with asyncio.timeout(_PATIENCE_S), open_session(database) as session:
                await session.with_transaction(write, ReadConcern("snapshot"), _MAJORITY, ReadPreference.PRIMARY)
        except TimeoutError as error:
            raise unavailable() from error


async def find_conflict(database: Database, companions: Sequence[Companion]) -> ServiceError | None:
    """Return the `conflict` of the first whose wish is not met as things stand; nothing is written.

    Raises `NotStorableError` for a record that the database could not hold.
    """
    standing = await _find_standing(database, companions)
    for companion in companions:
        if len(encode({"_id": companion.id, **companion.fields})) > MAX_DOCUMENT_BYTES:
            raise too_large_to_store()
        record = standing.get((companion.collection, companion.id))
        if companion.action == "insert":
            is_met = record is None
        else:
            is_met = record is not None and all(record.get(name) == it for name, it in companion.expected.items())
        if not is_met:
            return companion.conflict
    return None


async def _find_standing(database: Database, companions: Sequence[Companion]) -> dict[tuple[str, str], Record]:
    """Return the records that there are of those that companions name, with what is expected of them."""
    standing: dict[tuple[str, str], Record] = {}
    for name in {each.collection for each in companions}:
        named = [each for each in companions if each.collection == name]
        members = {"_id": 1} | {member: 1 for each in named for member in each.expected}
        with translated():
            async for record in database[name].find({"_id": {"$in": [each.id for each in named]}}, members):
                standing[name, record["_id"]] = record
    return standing


@contextlib.asynccontextmanager
async def open_session(database: Database) -> AsyncIterator[AsyncIOMotorClientSession]:
    """Open a session for one transaction; hold back its refusal until all that it saw is to be read outside, too.

    A transaction sees what another has committed a little before a majority has it: whoever reads what stands in the
    way, once a wish was refused, would not find it.
    """
    async with await database.client.start_session() as session:
        try:
            yield session
        except ServiceError:
            await database["applications"].find_one({"_id": ""}, {"_id": 1}, session=session)  # a majority's read
            raise


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
