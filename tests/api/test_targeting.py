"""Every query that a request makes is by `_id` or by the resource it belongs to: so it goes to one shard."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pymongo.monitoring
import pytest

from tests.api.conftest import Client

JSON_PATCH = {"Content-Type": "application/json-patch+json"}
FILTERS = {"find": "filter", "findAndModify": "query"}
STATEMENTS = {"update": "updates", "delete": "deletes"}
SHARD_KEYS = {"revisions": "resource", "patch_moves": "resource"}
"""Of the collections that are not sharded by `_id`."""
CATALOG = ("find", "types", ("definition",))
"""The types are few, read all together, and kept for some seconds."""
IDLE_S = 2.5
"""How long the service is watched at rest: what it asks then, it asks in the background, by indexes of its own."""


class CommandLog(pymongo.monitoring.CommandListener):
    """Notes the filter of every command that has one; `started` is called by the driver."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, Any]]] = []
        self.is_listening = False

    def started(self, event: pymongo.monitoring.CommandStartedEvent) -> None:
        if not self.is_listening:
            return
        name, command = event.command_name, event.command
        if name in FILTERS:
            self.seen.append((name, command[name], dict(command.get(FILTERS[name], {}))))
        for statement in command.get(STATEMENTS.get(name, ""), ()):
            self.seen.append((name, command[name], dict(statement["q"])))
        if name == "aggregate":
            first = command["pipeline"][0] if command["pipeline"] else {}
            self.seen.append((name, command[name], dict(first.get("$match", first))))

    def succeeded(self, event: pymongo.monitoring.CommandSucceededEvent) -> None:
        """Nothing to note."""

    def failed(self, event: pymongo.monitoring.CommandFailedEvent) -> None:
        """Nothing to note."""


LOG = CommandLog()
pymongo.monitoring.register(LOG)  # for the clients made from now on; there is no other way in, and none out


@pytest.fixture(name="commands")
def listen() -> Iterator[CommandLog]:
    LOG.seen.clear()
    LOG.is_listening = True
    yield LOG
    LOG.is_listening = False


def is_targeted(collection: str, query: dict[str, Any]) -> bool:
    """Tell whether the shard key is given, as a value or as a list of values."""
    wanted = query.get(SHARD_KEYS.get(collection, "_id"))
    return wanted is not None and (not isinstance(wanted, dict) or bool({"$in", "$eq"} & wanted.keys()))


def untargeted(log: CommandLog) -> set[tuple[str, str, tuple[str, ...]]]:
    """Return what was asked of every shard, as command, collection and members of the query."""
    return {(name, place, tuple(sorted(query))) for name, place, query in log.seen if not is_targeted(place, query)}


async def test_no_request_for_a_resource_makes_an_untargeted_query(commands: CommandLog, client: Client) -> None:
    await asyncio.sleep(IDLE_S)
    at_rest = untargeted(commands)
    made = await (await client.post("/v1/clinic", json={"name": "a"}, headers={"Idempotency-Key": "t-1"})).json()
    url = f"/v1/clinic/{made['id']}"
    for number in range(70):
        operation = {"op": "add", "path": "/n", "value": number}
        assert (await client.patch(url, json=[operation], headers=JSON_PATCH)).status == 200
    statuses = [
        (await client.patch(url, json={"m": 1}, headers={"Content-Type": "application/merge-patch+json"})).status,
        (await client.patch(url, json=[{"op": "replace", "path": "name", "value": "b"}])).status,
        (await client.put(url, json={"name": "c"}, headers={"Idempotency-Key": "t-2"})).status,
        (await client.get(url)).status,
        (await client.get(f"/resources/{made['id']}")).status,
        (await client.get(f"{url}?version=3")).status,
        (await client.get(f"{url}?at={made['createdAt']}")).status,
        (await client.get(f"{url}/history")).status,
        (await client.get(f"{url}/diff?from=2&to=60")).status,
        (await client.post(f"{url}/revert", json={"version": 5})).status,
        (await client.delete(url)).status,
    ]

    assert statuses == [200] * 9 + [200, 204]
    assert len(commands.seen) > 80
    assert untargeted(commands) - at_rest - {CATALOG} == set()
    assert any(place == "resources" for _, place, _ in commands.seen)
