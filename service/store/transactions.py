"""A statement together with its companions, in one transaction: for the few writes where two records must agree."""

import asyncio
import contextlib
import time
from collections.abc import Sequence

from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo import ReadPreference
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from service.errors import StoreUnavailableError
from service.model import Companion
from service.store.commits import Commits
from service.store.companions import change_companion, open_session
from service.store.mongo import Database, translated, unavailable
from service.store.records import Statement

_PATIENCE_S = 15.0
_PAUSE_S = 0.02
_DUPLICATE_KEY = 11000
_MAJORITY = WriteConcern(w="majority", wtimeout=8000)


class Transactions:
    """Commits statements that have companions."""

    def __init__(self, database: Database, commits: Commits) -> None:
        self._database = database
        self._commits = commits

    async def commit(self, statement: Statement, companions: Sequence[Companion]) -> bool:
        """Write all or nothing: True when done and durable, False when another write came first.

        Raises the `conflict` of a companion whose wish is not met, `StoreUnavailableError` when the outcome is not
        known within some seconds.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(StoreUnavailableError):  # not known: ask, and try again what is not there
                if await self._attempt(statement, companions):
                    return True
                settled = await self._commits.settle([statement])
                if statement.write_id in settled:
                    return settled[statement.write_id]
            await asyncio.sleep(_PAUSE_S)
        raise unavailable()

    async def _attempt(self, statement: Statement, companions: Sequence[Companion]) -> bool:
        """Run the transaction once; False when the statement found another version."""
        with translated():
            async with open_session(self._database) as session:
                session.start_transaction(ReadConcern("snapshot"), _MAJORITY, ReadPreference.PRIMARY)
                try:
                    if not await self._take_on(statement, session):
                        return False
                    for companion in companions:
                        await change_companion(self._database, companion, session)
                    await session.commit_transaction()
                finally:
                    if session.delegate.in_transaction:  # the session's end aborts it too, but holds up the event loop
                        await session.abort_transaction()
        return True

    async def _take_on(self, statement: Statement, session: AsyncIOMotorClientSession) -> bool:
        command = {"update": "resources", "updates": [statement.command()]}
        try:
            reply = await self._database.command(command, session=session)
        except OperationFailure as error:
            if error.code == _DUPLICATE_KEY:
                return False
            raise
        return bool(reply["n"] == 1 and "writeErrors" not in reply)
