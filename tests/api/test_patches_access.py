"""Who may record, check and apply patches: by role, and type by type."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from yarl import URL

from service.access import secrets
from service.app import create_app
from service.keys import API_KEYS
from service.model import ApiKey, Role
from service.settings import Settings
from tests.api.patches import RENAME, Client, fresh_type


class Desk:
    """A guarded service with a clinic and a ward of types of their own, and a patch recorded against the clinic."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.clinics, self.wards = fresh_type(), fresh_type()
        self.clinic = self.ward = ""

    async def key(self, role: Role, types: tuple[str, ...] = ()) -> dict[str, str]:
        text = secrets.generate()
        digest, at = secrets.digest(text.secret), "2026-01-01T00:00:00.000000Z"
        key = ApiKey(id=text.id, digest=digest, name=f"{role}-ann", role=role, created_at=at, types=types)
        await self.client.app[API_KEYS].insert(key)
        return {"X-API-Key": str(text)}

    async def send(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> tuple[int, Any]:
        response = await self.client.request(method, path, headers=headers, json=body)
        return response.status, await response.json()

    async def prepare(self) -> None:
        key = await self.key("writer")
        made = [await self.send("POST", f"/v1/{each}", key, {"name": "x"}) for each in (self.clinics, self.wards)]
        self.clinic, self.ward = (body["id"] for _, body in made)
        body = {"definition": {"patch_id": "p", "payload": RENAME}}
        assert (await self.send("POST", f"/resources/{self.clinic}/patches", key, body))[0] == 201


@pytest.fixture(name="desk")
async def make_desk(aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings) -> Desk:
    desk = Desk(await aiohttp_client(create_app(msgspec.structs.replace(settings, auth="keys"))))
    await desk.prepare()
    return desk


async def test_records_and_moves_name_who_sent_them(desk: Desk) -> None:
    key, path = await desk.key("writer"), f"/resources/{desk.clinic}/patches/p"

    _, application = await desk.send("POST", f"{path}/apply", key)
    _, events = await desk.send("GET", f"{path}/events", key)

    assert application["created_by"] == "writer-ann"
    assert [each["by"] for each in events] == ["writer-ann"] * 2


async def test_readers_look_and_change_nothing(desk: Desk) -> None:
    key, path = await desk.key("reader"), f"/resources/{desk.clinic}/patches/p"

    looks = [await desk.send("GET", f"{path}{each}", key) for each in ("", "/eligible", "/applications", "/events")]
    looks.append(await desk.send("POST", f"{path}/check", key))
    moves = [await desk.send("POST", f"{path}/{each}", key) for each in ("apply", "retry", "cancel", "revert")]
    records = await desk.send("POST", f"/resources/{desk.clinic}/patches", key, {"definition": {"patch_id": "q"}})

    assert [status for status, _ in looks] == [200] * 5
    assert [status for status, _ in (*moves, records)] == [403] * 5


async def test_types_without_a_grant_stay_out_of_reach(desk: Desk) -> None:
    clinics, wards = await desk.key("writer", (desk.clinics,)), await desk.key("writer", (desk.wards,))
    path = f"/resources/{desk.clinic}/patches/p"

    of_wards = [
        await desk.send("GET", f"/resources/{desk.clinic}/patches", wards),
        await desk.send("POST", f"/resources/{desk.clinic}/patches", wards, {"definition": {"patch_id": "q"}}),
        await desk.send("GET", path, wards),
        await desk.send("POST", f"{path}/apply", wards, {"target_id": desk.ward}),
        await desk.send("POST", f"{path}/check", clinics, {"target_id": desk.ward}),
        await desk.send("POST", f"{path}/apply", clinics, {"target_id": desk.ward}),
        await desk.send("POST", f"{path}/cancel", clinics, {"target_id": desk.ward}),
        await desk.send("POST", f"{path}/revert", clinics, {"target_id": desk.ward}),
        await desk.send("GET", f"{path}/eligible?type={desk.wards}", clinics),
    ]
    _, eligible = await desk.send("GET", f"{path}/eligible", clinics)

    assert [status for status, _ in of_wards] == [403] * 9
    assert [each["resource_id"] for each in eligible] == [desk.clinic]


async def test_what_became_of_targets_without_a_grant_is_not_shown(desk: Desk) -> None:
    """The error of an application quotes its target."""
    everything, clinics = await desk.key("writer"), await desk.key("writer", (desk.clinics,))
    body = {"definition": {"patch_id": "t", "payload": {"operations": [{"op": "test", "path": "/name", "value": "y"}]}}}
    assert (await desk.send("POST", f"/resources/{desk.clinic}/patches", everything, body))[0] == 201
    path = f"/resources/{desk.clinic}/patches/t"
    assert (await desk.send("POST", f"{path}/apply", everything, {"target_id": desk.ward}))[0] == 409

    _, record = await desk.send("GET", path, clinics)
    _, listed = await desk.send("GET", f"/resources/{desk.clinic}/patches?status=failed", clinics)
    _, applications = await desk.send("GET", f"{path}/applications", clinics)
    _, events = await desk.send("GET", f"{path}/events", clinics)
    _, whole = await desk.send("GET", path, everything)

    assert (record["status"], record["error"], listed, applications) == ("pending", None, [], [])
    assert [each["verb"] for each in events] == ["record"]
    assert whole["status"] == "failed"


async def test_a_rollout_is_steered_by_those_whom_its_types_are_granted(desk: Desk) -> None:
    everything, clinics = await desk.key("writer"), await desk.key("writer", (desk.clinics,))
    path = f"/resources/{desk.clinic}/patches/p/rollouts"
    wide = await desk.send("POST", path, everything, {"dry_run": True})
    narrow = await desk.send("POST", path, everything, {"dry_run": True, "type": desk.clinics})

    refused = [await desk.send("POST", f"{path}/{wide[1]['id']}/{wish}", clinics) for wish in ("pause", "cancel")]
    steered = await desk.send("POST", f"{path}/{narrow[1]['id']}/cancel", clinics)

    assert [status for status, _ in refused] == [403, 403]
    assert steered[0] in (200, 409)


async def test_a_rollout_is_shown_to_those_whom_its_types_are_granted(desk: Desk) -> None:
    """How many there are of a type, and that it exists, is told by how far a rollout has come."""
    everything, clinics = await desk.key("writer"), await desk.key("reader", (desk.clinics,))
    path = f"/resources/{desk.clinic}/patches/p/rollouts"
    orders: list[Any] = [{"type": desk.clinics}, {"type": desk.wards}, {"type": desk.clinics}, {}]
    made = [(await desk.send("POST", path, everything, {"dry_run": True, **each}))[1]["id"] for each in orders]

    statuses = [(await desk.send("GET", f"{path}/{each}", clinics))[0] for each in made]
    listed = await desk.send("GET", path, clinics)
    first = await desk.client.get(f"{path}?limit=1", headers=clinics)
    rest = await desk.client.get(str(URL(str(first.links["next"]["url"])).relative()), headers=clinics)
    whole = await desk.send("GET", path, everything)

    assert statuses == [200, 403, 200, 403]
    assert [each["id"] for each in listed[1]] == [made[2], made[0]]
    assert [each["id"] for each in (*await first.json(), *await rest.json())] == [made[2], made[0]]
    assert not rest.links
    assert len(whole[1]) == 4


async def test_the_type_of_a_target_without_a_grant_is_not_told(desk: Desk) -> None:
    everything, clinics = await desk.key("writer"), await desk.key("writer", (desk.clinics,))
    path = f"/resources/{desk.clinic}/patches/p"
    _, application = await desk.send("POST", f"{path}/apply", everything, {"target_id": desk.ward})

    answers = [
        await desk.send("POST", f"{path}/check", clinics, {"target_id": desk.ward}),
        await desk.send("GET", f"/applications/{application['id']}", clinics),
    ]

    assert [status for status, _ in answers] == [403, 403]
    assert [desk.wards in body["detail"] for _, body in answers] == [False, False]
