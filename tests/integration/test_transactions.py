import asyncio
import threading
import uuid
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import pytest
from pymongo.monitoring import CommandListener

from service.app import SystemClock
from service.errors import DuplicateIdentifierError
from service.model import Change, Companion, Draft
from service.ports import Changing
from service.store.companions import write_together
from service.store.mongo import Database, connect
from service.store.mongod import MongodProcess
from service.store.resources import MongoResources
from tests.integration.changes import ANN, create, increment, nothing


@pytest.fixture(name="resources")
def make_resources(database: Database) -> MongoResources:
    return MongoResources(database, SystemClock())


@pytest.fixture(name="identity")
def make_identity() -> str:
    return str(uuid.uuid4())


def companion(
    identity: str,
    action: Literal["insert", "replace", "remove"],
    fields: Mapping[str, Any] | None = None,
    expected: Mapping[str, Any] | None = None,
) -> Companion:
    return Companion(
        collection="companions",
        id=identity,
        action=action,
        conflict=DuplicateIdentifierError(f"{identity} is taken"),
        fields=fields or {},
        expected=expected or {},
    )


def along(change: Changing, *companions: Companion) -> Changing:
    def changed(draft: Draft | None) -> Change:
        made = change(draft)
        assert made is not None
        return msgspec.structs.replace(made, companions=companions)

    return changed


async def test_companions_change_with_the_resource(
    resources: MongoResources, database: Database, identity: str
) -> None:
    await resources.write(identity, "clinic", along(create({}), companion(identity, "insert", {"n": 1})), ANN)
    replaced = companion(identity, "replace", {"n": 2}, {"n": 1})
    await resources.write(identity, "clinic", along(increment("n"), replaced), ANN)

    assert await database["companions"].find_one({"_id": identity}) == {"_id": identity, "n": 2}

    await resources.write(identity, "clinic", along(increment("n"), companion(identity, "remove")), ANN)
    found = await resources.find(identity)

    assert await database["companions"].find_one({"_id": identity}) is None
    assert found is not None
    assert (found.version, found.text) == (3, b'{"n":2}')


@pytest.mark.parametrize(
    "unmet",
    [
        pytest.param(companion("taken", "insert"), id="insert"),
        pytest.param(companion("taken", "replace", {}, {"n": 0}), id="replace"),
        pytest.param(companion("never", "remove"), id="remove"),
    ],
)
async def test_companion_whose_wish_is_not_met_stops_everything(
    resources: MongoResources, database: Database, identity: str, unmet: Companion
) -> None:
    await database["companions"].replace_one({"_id": "taken"}, {"n": 1}, upsert=True)
    await resources.write(identity, "clinic", create({}), ANN)

    with pytest.raises(DuplicateIdentifierError):
        await resources.write(identity, "clinic", along(increment("n"), companion(identity, "insert"), unmet), ANN)

    found = await resources.find(identity)
    assert found is not None
    assert found.version == 1
    assert await database["companions"].find_one({"_id": identity}) is None


async def test_conflict_of_a_companion_is_told_to_its_writer_alone(
    resources: MongoResources, database: Database, identity: str
) -> None:
    await database["companions"].replace_one({"_id": "taken"}, {"n": 1}, upsert=True)
    await resources.write(identity, "clinic", create({}), ANN)

    outcomes = await asyncio.gather(
        resources.write(identity, "clinic", nothing, ANN),
        resources.write(identity, "clinic", along(increment("n"), companion("taken", "insert")), ANN),
        resources.write(identity, "clinic", increment("n"), ANN),
        resources.write(identity, "clinic", along(increment("n"), companion(identity, "insert")), ANN),
        resources.write(identity, "clinic", increment("n"), ANN),
        return_exceptions=True,
    )

    found = await resources.find(identity)
    assert [type(each).__name__ for each in outcomes] == ["Written", "DuplicateIdentifierError", *["Written"] * 3]
    assert found is not None
    assert (found.version, found.text) == (4, b'{"n":3}')


class Aborts(CommandListener):
    """Notes on which thread each `abortTransaction` was sent."""

    def __init__(self) -> None:
        self.threads: list[int] = []

    def started(self, event: Any) -> None:
        if event.command_name == "abortTransaction":
            self.threads.append(threading.get_ident())

    def succeeded(self, event: Any) -> None:
        pass

    def failed(self, event: Any) -> None:
        pass


async def test_a_transaction_that_is_given_up_does_not_hold_up_the_event_loop(
    mongod: MongodProcess, database_name: str, identity: str
) -> None:
    """The end of a session aborts what is open in it, on the spot: a database that hangs would stop everything."""
    aborts = Aborts()
    client = connect(mongod.uri, [aborts])
    try:
        resources = MongoResources(client[database_name], SystemClock())
        await resources.write(identity, "clinic", create({}), ANN)
        first = companion(identity, "insert", {"n": 1})
        unmet = companion(f"no-{identity}", "remove")
        with pytest.raises(DuplicateIdentifierError):
            await resources.write(identity, "clinic", along(increment("n"), first, unmet), ANN)
    finally:
        client.close()

    assert aborts.threads
    assert threading.get_ident() not in aborts.threads


async def test_one_of_many_claimants_wins(database: Database) -> None:
    claim = f"claim-{uuid.uuid4()}"
    instances = [MongoResources(database, SystemClock()) for _ in range(2)]

    outcomes = await asyncio.gather(
        *(
            instances[number % 2].write(
                str(uuid.uuid4()), "clinic", along(create({}), companion(claim, "insert", {"by": number})), ANN
            )
            for number in range(20)
        ),
        return_exceptions=True,
    )

    won = [number for number, each in enumerate(outcomes) if not isinstance(each, DuplicateIdentifierError)]
    record = await database["companions"].find_one({"_id": claim})
    assert record is not None
    assert won == [record["by"]]


async def test_who_is_refused_reads_what_stood_in_the_way(database: Database, identity: str) -> None:
    """A transaction sees what another has committed before a majority has it, and other reads do not."""
    records = database["companions"]
    await records.insert_one({"_id": identity, "n": 0})

    async def count(n: int) -> int:
        try:
            await write_together(database, (companion(identity, "replace", {"n": n + 1}, {"n": n}),))
        except DuplicateIdentifierError:
            found = await records.find_one({"_id": identity})
            return -1 if found is None else int(found["n"])
        return n + 1

    for n in range(30):
        assert await asyncio.gather(*(count(n) for _ in range(5))) == [n + 1] * 5
