"""Patch records asked for twice: at once, or because the first answer was lost."""

import asyncio
from typing import Any

import pymongo
import pytest

from service.settings import Settings
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
