"""Patch records asked for twice: at once, or because the first answer was lost."""

import asyncio
from typing import Any

import pymongo
import pytest

from service.core.conditions import NO_CONDITIONS
from service.keys import DESK
from service.model import ANONYMOUS, Attribution
from service.settings import Settings
from service.usecases import applications, reverting
from service.usecases.fitting import Aim
from service.usecases.writing import Mode
from tests.api.patches import RENAME, Client, act, fetch, make, read, record, version_of

GROW = {"operations": [{"op": "add", "path": "/tags/-", "value": "c"}]}


@pytest.fixture(name="lose_answers")
def make_loss(settings: Settings) -> Any:
    """Forget every answer that was kept for an idempotency key, as a crash before the answer does."""

    def lose() -> None:
        with pymongo.MongoClient[dict[str, Any]](settings.mongodb_uri) as client:
            client[settings.mongodb_database]["idempotency"].delete_many({})

    return lose


async def test_apply_whose_answer_was_lost_is_answered_and_not_done_again(client: Client, lose_answers: Any) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=GROW)
    headers = {"Idempotency-Key": f"apply-{resource_id}"}
    first = await act(client, resource_id, "apply", headers=headers)
    await asyncio.to_thread(lose_answers)

    again = await act(client, resource_id, "apply", headers=headers)

    assert again == first
    assert (await read(client, resource_id))["tags"] == ["a", "b", "c"]


async def test_revert_whose_answer_was_lost_is_answered_and_not_done_again(client: Client, lose_answers: Any) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=RENAME)
    await act(client, resource_id, "apply")
    headers = {"Idempotency-Key": f"revert-{resource_id}"}
    first = await act(client, resource_id, "revert", headers=headers)
    await asyncio.to_thread(lose_answers)

    again = await act(client, resource_id, "revert", headers=headers)

    assert again == first
    assert await version_of(client, resource_id) == 3


@pytest.mark.parametrize("verb", ["apply", "cancel", "revert"])
async def test_a_request_that_ends_late_is_told_to_who_asks_again(
    client: Client, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was cut off may still be at it in the database, and be done between the first look for it and the next."""
    resource_id, desk = await make(client), client.app[DESK]
    await record(client, resource_id, payload=GROW)
    if verb == "revert":
        await act(client, resource_id, "apply")
    patch = await desk.patches.find(resource_id, "p-1")
    assert patch is not None
    look = type(desk.moves).has_write
    ended: list[str] = []

    async def end_late(moves: Any, *place: str) -> bool:
        found = await look(moves, *place)
        if not ended:
            ended.append(place[-1])
            mode = Mode(attribution=Attribution(by="anonymous", write_id=place[-1]), conditions=NO_CONDITIONS)
            if verb == "revert":
                await reverting.revert(patch, Aim(), ANONYMOUS, mode, desk)
            elif verb == "cancel":
                await applications.cancel(patch, Aim(), ANONYMOUS, mode, desk)
            else:
                await applications.apply(patch, Aim(), "apply", ANONYMOUS, mode, desk)
        return found

    monkeypatch.setattr(type(desk.moves), "has_write", end_late)

    status, answer = await act(client, resource_id, verb, headers={"Idempotency-Key": f"{verb}-{resource_id}"})

    assert (status, len(ended)) == ({"apply": 200, "cancel": 200, "revert": 201}[verb], 1), answer
    assert await version_of(client, resource_id) == {"apply": 2, "cancel": 1, "revert": 3}[verb]


async def test_key_of_another_change_of_the_target_does_not_stand_for_the_patch(
    client: Client, lose_answers: Any
) -> None:
    resource_id = await make(client)
    await record(client, resource_id, payload=RENAME)
    await record(client, resource_id, "p-2", payload=GROW)
    headers = {"Idempotency-Key": f"other-{resource_id}"}
    await act(client, resource_id, "apply", headers=headers)
    await asyncio.to_thread(lose_answers)

    status, answer = await act(client, resource_id, "apply", patch_id="p-2", headers=headers)

    assert (status, answer["code"]) == (422, "idempotency-key-reused")
    assert await fetch(client, resource_id, "/p-2/applications") == []


async def test_patch_recorded_at_once_is_one_record(client: Client) -> None:
    resource_id = await make(client)
    body = {"definition": {"patch_id": "p", "payload": RENAME}}

    answers = await asyncio.gather(*(client.post(f"/resources/{resource_id}/patches", json=body) for _ in range(8)))

    assert sorted(each.status for each in answers) == [200] * 7 + [201]
    assert len({await each.text() for each in answers}) == 1
    assert len(await fetch(client, resource_id, "/p/events")) == 1


async def test_other_patches_recorded_at_once_under_one_id_are_refused(client: Client) -> None:
    resource_id = await make(client)
    bodies = [{"definition": {"patch_id": "p", "description": str(index)}} for index in range(8)]

    answers = await asyncio.gather(*(client.post(f"/resources/{resource_id}/patches", json=each) for each in bodies))

    assert sorted(each.status for each in answers) == [201] + [409] * 7


async def test_target_deleted_meanwhile_is_gone(client: Client) -> None:
    for _ in range(10):
        resource_id, target_id = await make(client), await make(client)
        await record(client, resource_id, payload=RENAME)

        (status, _), deleted = await asyncio.gather(
            act(client, resource_id, "apply", {"target_id": target_id}), client.delete(f"/v1/clinic/{target_id}")
        )

        assert (status, deleted.status) in {(200, 204), (410, 204)}
        assert len(await fetch(client, resource_id, "/p-1/applications")) == (status == 200)
