"""`patchbay check` finds every kind of damage and nothing else, and mends what follows from the rest."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from service.app import SystemClock, create_app
from service.model import Attribution
from service.settings import Settings
from service.store.checking import SUBJECTS, Checker
from service.store.findings import Finding
from service.store.leases import Leases
from service.store.mongo import Client, Database
from service.store.resources import MongoResources
from tests.integration.changes import increment
from tests.processes import Spawn

JSON_PATCH = {"Content-Type": "application/json-patch+json"}
FAR = "9999"
VERSIONS = 140
Damage = Callable[[Database, "Stored"], Awaitable[object]]


class Stored(NamedTuple):
    """Ids of what the fixture stored."""

    counter: str
    large: str
    application: str


async def look(database: Database, undrained_since: str = "") -> list[Finding]:
    checker = Checker(database, undrained_since)
    return [each for subject in SUBJECTS async for each in checker.check(subject, lambda _: None)]


def told(findings: list[Finding]) -> str:
    return "; ".join(f"{each.subject} {each.what}" for each in findings)


@pytest.fixture(name="own")
async def make_own_database(mongo: Client, database_name: str) -> AsyncIterator[Database]:
    name = f"{database_name}-check"
    yield mongo[name]
    await mongo.drop_database(name)


async def post(client: TestClient[web.Request, web.Application], path: str, body: Any) -> Any:
    response = await client.post(path, json=body)
    assert response.status in (200, 201), await response.text()
    return await response.json()


@pytest.fixture(name="stored")
async def fill(
    own: Database, settings: Settings, aiohttp_client: Callable[..., Awaitable[TestClient[web.Request, Any]]]
) -> Stored:
    """What the service stores: many versions, large patches, identifiers, a deletion, an application."""
    client = await aiohttp_client(create_app(msgspec.structs.replace(settings, mongodb_database=own.name)))
    counter = await post(client, "/v1/clinic", {"n": 0, "identifier": [{"system": "npi", "value": "7"}]})
    odd = {"$a.b": [1.0, 2**80], "": {"%": None}, "identifier": [{"value": "7|%"}, {"system": "x", "value": "é"}]}
    gone = await post(client, "/v1/clinic", {**odd, "identifier": [{"value": "gone"}]})
    await client.delete(f"/v1/clinic/{gone['id']}")
    large = await post(client, "/v1/clinic", {**odd, "text": "a" * 30_000})
    operations = [{"op": "replace", "path": "/text", "value": "b" * 30_000}, {"op": "move", "from": "/", "path": "/q"}]
    await client.patch(f"/v1/clinic/{large['id']}", json=operations, headers=JSON_PATCH)
    definition = {"patch_id": "p", "payload": {"merge": {"applied": True}}}
    await post(client, f"/resources/{counter['id']}/patches", {"definition": definition})
    application = await post(client, f"/resources/{counter['id']}/patches/p/apply", {})
    await client.close()
    store = MongoResources(own, SystemClock())
    ann = Attribution(by="ann")
    await asyncio.gather(*(store.write(counter["id"], "clinic", increment("n"), ann) for _ in range(VERSIONS - 2)))
    # more than once where the relay of the client's service, which has ended, was still at it
    while await own["resources"].find_one({"log.0": {"$exists": True}}):
        await store.relay.drain([counter["id"], gone["id"], large["id"]])
    return Stored(counter["id"], large["id"], application["id"])


async def test_what_the_service_stores_is_well(own: Database, stored: Stored) -> None:
    assert await look(own) == []
    assert await own["resources"].find_one({"_id": stored.counter, "v": VERSIONS}) is not None
    assert await own["snapshots"].count_documents({}) == 2


async def test_logs_that_wait_are_well_when_they_are_young(own: Database, stored: Stored) -> None:
    store = MongoResources(own, SystemClock())
    for _ in range(3):
        await store.write(stored.counter, "clinic", increment("n"), Attribution(by="ann"))

    assert await look(own) == []


async def set_entry(database: Database, resource: str, version: int, **members: bytes) -> None:
    changed = {f"entries.$[entry].{name}": value for name, value in members.items()}
    query = {"resource": resource, "entries.v": version}
    result = await database["revisions"].update_one(query, {"$set": changed}, array_filters=[{"entry.v": version}])
    assert result.modified_count == 1


DAMAGES: list[tuple[str, Damage, str]] = [
    (
        "a version is missing",
        lambda db, it: db["revisions"].update_one(
            {"resource": it.counter, "entries.v": 5}, {"$pull": {"entries": {"v": 5}}}
        ),
        "{counter} version 5 is missing",
    ),
    (
        "the newest versions are missing",
        lambda db, it: db["revisions"].delete_many({"resource": it.counter}),
        "{counter} version 140, the present one, has no entry",
    ),
    (
        "an inverse patch does not apply",
        lambda db, it: set_entry(db, it.counter, 7, inverse=b'[{"op":"remove","path":"/nowhere"}]'),
        "{counter} the patches of version 7 cannot be read or do not apply",
    ),
    (
        "a forward patch leads elsewhere",
        lambda db, it: set_entry(db, it.counter, 100, forward=b'[{"op":"add","path":"/n","value":-1}]'),
        "{counter} the patches of version 100 do not lead back from it and to it again",
    ),
    (
        "a patch is not JSON",
        lambda db, it: set_entry(db, it.counter, 139, inverse=b"nonsense"),
        "{counter} the patches of version 139 cannot be read",
    ),
    (
        "a large patch is lost",
        lambda db, it: db["large_patches"].delete_one({"_id": {"$regex": f"^{it.large}:"}}),
        "{large} the patches of version 2 cannot be read",
    ),
    (
        "the present content was changed",
        lambda db, it: db["resources"].update_one({"_id": it.counter}, {"$set": {"content.n": 1000}}),
        "{counter} the patches of version 140 do not lead back",
    ),
    (
        "the present content was changed beside what patches touch",
        lambda db, it: db["resources"].update_one({"_id": it.counter}, {"$set": {"content.other": 1}}),
        "{counter} the snapshot at version 128 is not the content",
    ),
    (
        "a snapshot was changed",
        lambda db, _: db["snapshots"].update_one({"_id": {"$regex": ":0000000064:"}}, {"$set": {"bytes": b"{}"}}),
        "{counter} the snapshot at version 64 is not the content",
    ),
    (
        "a record lost a member",
        lambda db, it: db["resources"].update_one({"_id": it.large}, {"$unset": {"content": ""}}),
        "{large} its record, or an entry of its history, cannot be read",
    ),
    (
        "a resource is lost",
        lambda db, it: db["resources"].delete_one({"_id": it.counter}),
        "the history of {counter} has version 140, and it has not",
    ),
    (
        "an application names a version that is not there",
        lambda db, it: db["applications"].update_one({"_id": it.application}, {"$set": {"result": 141}}),
        "{application} the application of p says applied, and made version 141 of {counter}, which stands at 140",
    ),
    (
        "an application names no version",
        lambda db, it: db["applications"].update_one({"_id": it.application}, {"$set": {"result": None}}),
        "{application} the application of p says applied, and names no version that it made",
    ),
    (
        "the target of an application is not there",
        lambda db, it: db["applications"].update_one({"_id": it.application}, {"$set": {"target": "nobody"}}),
        "{application} the application of p says applied, and its target nobody is not there",
    ),
]


@pytest.mark.parametrize(("damage", "finding"), [pytest.param(*each[1:], id=each[0]) for each in DAMAGES])
async def test_damage_is_found(own: Database, stored: Stored, damage: Damage, finding: str) -> None:
    await damage(own, stored)

    found = await look(own)

    assert finding.format(**stored._asdict()) in told(found)
    assert all(each.is_wrong and each.advice for each in found)


CLAIM = "clinic|7|npi"
CLAIM_DAMAGES: list[tuple[str, Damage, str]] = [
    ("it is not there", lambda db, _: db["identifiers"].delete_one({"_id": CLAIM}), "{counter} its identifier"),
    (
        "nobody holds it",
        lambda db, it: db["identifiers"].insert_one({"_id": "clinic|8|npi", "resource": it.counter}),
        "clinic|8|npi the claim of an identifier is for the resource {counter}, which does not hold it",
    ),
    (
        "its resource is not there",
        lambda db, _: db["identifiers"].insert_one({"_id": "clinic|9|npi", "resource": "nobody"}),
        "clinic|9|npi the claim of an identifier is for the resource nobody",
    ),
    (
        "another has it",
        lambda db, it: db["identifiers"].update_one({"_id": CLAIM}, {"$set": {"resource": it.large}}),
        "{counter} its identifier clinic|7|npi is claimed for the resource {large}",
    ),
]


@pytest.mark.parametrize(("damage", "finding"), [pytest.param(*each[1:], id=each[0]) for each in CLAIM_DAMAGES])
async def test_claim_that_is_wrong_is_found_and_mended(
    own: Database, stored: Stored, damage: Damage, finding: str
) -> None:
    before = await own["identifiers"].find().sort("_id", 1).to_list(None)
    await damage(own, stored)

    found = await look(own)

    assert finding.format(**stored._asdict()) in told(found)
    assert [await each.mend() for each in found if each.mend] == [True] * len(found)
    assert await own["identifiers"].find().sort("_id", 1).to_list(None) == before
    assert await look(own) == []


async def test_identifier_that_two_hold_is_left_to_its_owner(own: Database, stored: Stored) -> None:
    """Which of the two is meant nobody can derive."""
    await own["resources"].update_one(
        {"_id": stored.large}, {"$push": {"content.identifier": {"system": "npi", "value": "7"}}}
    )

    found = [each for each in await look(own) if each.mend]

    assert told(found) == f"{stored.large} its identifier {CLAIM} is claimed for the resource {stored.counter}"
    assert [await each.mend() for each in found if each.mend] == [False]


@pytest.mark.parametrize("is_served", [False, True])
async def test_log_that_nobody_drains_is_wrong_where_a_service_runs(
    own: Database, stored: Stored, is_served: bool
) -> None:
    await own["leases"].delete_many({})
    await MongoResources(own, SystemClock()).write(stored.counter, "clinic", increment("n"), Attribution(by="ann"))
    if is_served:
        assert await Leases(own).acquire("relay", 600)

    (found,) = await look(own, undrained_since=FAR)

    assert found.what.startswith("its log waits to be drained since 2")
    assert found.is_wrong == is_served
    assert found.mend is not None
    assert await found.mend()
    assert await look(own, undrained_since=FAR) == []


async def test_command_says_what_is_wrong_and_mends(own: Database, stored: Stored, spawn_service: Spawn) -> None:
    await own["identifiers"].delete_one({"_id": CLAIM})

    async def run(*arguments: str) -> tuple[int, str]:
        process = spawn_service(arguments=("check", *arguments), listens=False, mongodb_database=own.name)
        return await asyncio.to_thread(process.wait), process.output

    found = await run()
    mended = await run("--repair")
    clean = await run()

    what = f"resources {stored.counter}: its identifier {CLAIM} is not claimed."
    buckets = await own["revisions"].count_documents({})
    looked_at = f"Looked at {{}} identifiers, 3 resources, {buckets} revisions, 1 applications:"
    assert found[0] == 1
    assert f"wrong: {what}" in found[1]
    assert "--repair" in found[1]
    assert mended == (0, f"mended: {what}\n{looked_at.format(2)} 1 mended.\n")
    assert clean == (0, f"{looked_at.format(3)} all is well.\n")
