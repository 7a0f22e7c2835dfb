"""Who may call what, from outside."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from aiohttp import ClientPayloadError, web
from aiohttp.test_utils import TestClient

from service.access import remembered, secrets
from service.app import create_app
from service.keys import API_KEYS, RATES, TRAFFIC
from service.model import ApiKey, Role
from service.settings import Settings
from tests.api.conftest import Sender

Client = TestClient[web.Request, web.Application]
MakeKey = Callable[..., Awaitable[str]]
PATCH = {"a": {"type": "inline", "value": 1}, "b": {"type": "inline", "value": 2}}


@pytest.fixture(name="guarded")
async def make_guarded(aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings) -> Client:
    return await aiohttp_client(create_app(msgspec.structs.replace(settings, auth="keys", rate_limit=1000.0)))


@pytest.fixture(name="make_key")
def provide_make_key(guarded: Client) -> MakeKey:
    async def make(
        role: Role = "reader", *, name: str = "ann", types: tuple[str, ...] = (), expires_at: str | None = None
    ) -> str:
        text = secrets.generate()
        key = ApiKey(
            id=text.id,
            digest=secrets.digest(text.secret),
            name=name,
            role=role,
            types=types,
            created_at="2026-01-01T00:00:00.000000Z",
            expires_at=expires_at,
        )
        await guarded.app[API_KEYS].insert(key)
        return str(text)

    return make


async def test_nobody_calls_without_credentials(guarded: Client) -> None:
    response = await guarded.post("/api/json/v1/patch", json=PATCH)

    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert (await response.json())["code"] == "unauthenticated"


async def test_health_needs_no_credentials(guarded: Client) -> None:
    assert (await guarded.get("/healthz")).status == 200


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
async def test_a_key_opens(guarded: Client, make_key: MakeKey, header: str) -> None:
    key = await make_key("reader")

    value = f"Bearer {key}" if header == "Authorization" else key
    made = await guarded.post("/api/json/v1/patch?store=true", json=PATCH, headers={header: value})

    assert made.status == 201
    record = await guarded.get(made.headers["Location"], headers={header: value})
    assert (await record.json())["createdBy"] == "ann"


@pytest.mark.parametrize(
    "spoil", [lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"), lambda _: "pb_1_2", str.upper]
)
async def test_a_wrong_key_does_not_open(guarded: Client, make_key: MakeKey, spoil: Callable[[str], str]) -> None:
    key = spoil(await make_key("reader"))

    response = await guarded.post("/api/json/v1/patch", json=PATCH, headers={"X-API-Key": key})

    assert response.status == 401


async def test_an_expired_key_does_not_open(guarded: Client, make_key: MakeKey) -> None:
    key = await make_key("reader", expires_at="2026-01-02T00:00:00.000000Z")

    assert (await guarded.post("/api/json/v1/patch", json=PATCH, headers={"X-API-Key": key})).status == 401


async def test_a_key_revoked_while_in_use_is_refused_soon(guarded: Client, make_key: MakeKey) -> None:
    """Also on a connection that was opened with it, and though it is remembered between requests."""
    headers = {"X-API-Key": await make_key("reader")}
    before = [(await guarded.post("/api/json/v1/patch", json=PATCH, headers=headers)).status for _ in range(5)]

    await guarded.app[API_KEYS].revoke(headers["X-API-Key"].split("_")[1], "2026-01-01T00:00:00.000000Z")
    async with asyncio.timeout(30):
        while (await guarded.post("/api/json/v1/patch", json=PATCH, headers=headers)).status == 200:
            await asyncio.sleep(0.05)

    after = [(await guarded.post("/api/json/v1/patch", json=PATCH, headers=headers)).status for _ in range(5)]
    assert before == [200] * 5
    assert after == [401] * 5


async def revoked(app: web.Application, key: str) -> None:
    await app[API_KEYS].revoke(key.split("_")[1], "2026-01-01T00:00:00.000000Z")


async def test_events_are_streamed_only_while_the_key_holds(
    guarded: Client, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "_FOR_S", 0.0)
    key, writing = await make_key(), {"X-API-Key": await make_key("writer")}
    headers = {"X-API-Key": key, "Accept": "text/event-stream"}
    stream = await guarded.get("/events?after=latest", headers=headers)
    begun = await stream.content.readuntil(b"\n\n")

    await revoked(guarded.app, key)
    await guarded.post("/v1/clinic", json={}, headers=writing)

    assert begun == b": following from here\n\n"
    with pytest.raises(ClientPayloadError):
        async with asyncio.timeout(30):
            await stream.content.readuntil(b"\n\n")


async def test_who_waited_for_events_gets_them_only_while_the_key_holds(
    guarded: Client, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "_FOR_S", 0.0)
    key, writing = await make_key(), {"X-API-Key": await make_key("writer")}
    waiting = asyncio.create_task(guarded.get("/events?after=latest&wait=30", headers={"X-API-Key": key}))
    async with asyncio.timeout(30):
        while guarded.app[TRAFFIC].count == 0:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)

    await revoked(guarded.app, key)
    await guarded.post("/v1/clinic", json={}, headers=writing)

    assert (await waiting).status == 401


async def test_a_rollout_is_followed_only_while_the_key_holds(
    guarded: Client, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "_FOR_S", 0.0)
    key, writing = await make_key(), {"X-API-Key": await make_key("writer")}
    made = await (await guarded.post("/v1/halting", json={}, headers=writing)).json()
    definition = {"patch_id": "p", "payload": {"operations": [{"op": "remove", "path": "/none"}]}}
    patches = f"/resources/{made['id']}/patches"
    await guarded.post(patches, json={"definition": definition}, headers=writing)
    begun = await guarded.post(f"{patches}/p/rollouts", json={"type": "halting"}, headers=writing)
    stream = await guarded.get(begun.headers["Location"], headers={"X-API-Key": key, "Accept": "text/event-stream"})
    assert stream.status == 200

    await revoked(guarded.app, key)

    with pytest.raises(ClientPayloadError):
        async with asyncio.timeout(30):
            await stream.read()


async def test_the_role_is_asked_for(guarded: Client, make_key: MakeKey) -> None:
    key = await make_key("provider")

    response = await guarded.post("/api/json/v1/patch", json=PATCH, headers={"X-API-Key": key})

    assert response.status == 403
    assert (await response.json())["code"] == "forbidden"


async def test_the_contract_tells_the_role_that_each_operation_asks_for(guarded: Client, make_key: MakeKey) -> None:
    """With a key that has everything but that role, and one that has just that one."""
    lesser = {"reader": "provider", "writer": "reader", "provider": "writer", "admin": "writer"}
    keys = {role: {"X-API-Key": await make_key(role)} for role in (*lesser, "admin")}
    contract = await (await guarded.get("/openapi.json")).json()
    asked: Counter[str] = Counter()
    for path, operations in contract["paths"].items():
        for method, operation in ((name, each) for name, each in operations.items() if each.get("security")):
            role = operation["description"].rpartition("Needs the role `")[2].removesuffix("`.")
            url = re.sub(r"\{\w+\}", "none", path)
            for caller, may in ((lesser[role], False), (role, True)):
                async with guarded.request(method, url, headers=keys[caller]) as answer:
                    assert (answer.status != 403) == may, (method, url, caller, await answer.text())
            asked[role] += 1
    assert all(asked[role] for role in lesser), asked
    assert sum(asked.values()) > 60


async def test_too_many_requests_are_told_when_to_come_back(
    aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings
) -> None:
    client = await aiohttp_client(create_app(msgspec.structs.replace(settings, rate_limit=0.1)))
    await client.post("/api/json/v1/patch", json=PATCH)

    response = await client.post("/api/json/v1/patch", json=PATCH)

    assert response.status == 429
    assert (await response.json())["code"] == "rate-limited"
    assert 1 <= int(response.headers["Retry-After"]) <= 10


class FullFor:
    """Rates under which everybody has to wait for so long."""

    rate = 0.4

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s

    def take(self, caller: str, now: float) -> float:
        """Let nobody in."""
        assert caller
        assert now
        return self._wait_s


async def test_who_comes_too_often_is_told_so_before_the_body_is_sent(
    aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings, send: Sender
) -> None:
    app = create_app(settings)
    app[RATES] = FullFor(1.0)

    answer = await send(
        await aiohttp_client(app),
        b"POST /api/json/v1/patch HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n",
    )

    assert (answer.status, answer.headers["retry-after"]) == (429, "1")


@pytest.mark.parametrize(("wait_s", "told"), [(2.4, "3"), (2.0, "2"), (0.01, "1")])
async def test_who_comes_back_when_told_is_not_too_early(
    aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings, wait_s: float, told: str
) -> None:
    app = create_app(settings)
    app[RATES] = FullFor(wait_s)
    client = await aiohttp_client(app)

    response = await client.get("/types/clinic")

    assert (response.status, response.headers["Retry-After"]) == (429, told)


async def test_what_needs_no_role_is_not_counted(
    aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings
) -> None:
    app = create_app(settings)
    app[RATES] = FullFor(1.0)
    client = await aiohttp_client(app)

    async def status(method: str, path: str) -> int:
        return (await client.request(method, path)).status

    assert [await status("GET", path) for path in ("/healthz", "/readyz", "/openapi.json", "/no-such")] == [
        *(200, 200, 200, 404)
    ]
    assert [await status(*each) for each in (("HEAD", "/types/x"), ("GET", "/events"), ("OPTIONS", "/types/x"))] == [
        *(429, 429, 405)
    ]


async def test_answers_carry_security_headers(client: Client) -> None:
    response = await client.get("/healthz")

    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Server"] == "patchbay"


@pytest.mark.parametrize("credential", [b"pb_aa_\xff", b"pb_\xff_aa", b"pb_aa_\xed\xa0\x80", b"\xff"])
@pytest.mark.parametrize("header", [b"Authorization: Bearer ", b"X-API-Key: "])
async def test_credentials_that_are_no_text_do_not_open(
    guarded: Client, send: Sender, header: bytes, credential: bytes
) -> None:
    answer = await send(guarded, b"GET /events HTTP/1.1\r\nHost: x\r\n" + header + credential + b"\r\n\r\n")

    assert (answer.status, answer.problem["code"]) == (401, "unauthenticated")


async def test_a_comparison_is_shown_to_who_recorded_it_and_to_who_may_see_all(
    guarded: Client, make_key: MakeKey
) -> None:
    """Its patch holds what the inputs held, and its id follows from the caller's name and an idempotency key."""
    ann, bob, eve = await make_key(), await make_key(name="bob"), await make_key(name="eve", types=("clinic",))

    async def see(made_by: str) -> list[int]:
        headers = {"X-API-Key": made_by, "Idempotency-Key": "1"}
        made = await guarded.post("/api/json/v1/patch?store=true", json=PATCH, headers=headers)
        place = made.headers["Location"]
        return [(await guarded.get(place, headers={"X-API-Key": key})).status for key in (ann, bob, eve)]

    assert await see(ann) == [200, 200, 404]
    assert await see(eve) == [200, 200, 200]


async def test_a_job_is_shown_to_who_asked_for_it_and_to_admins_who_may_see_all(
    guarded: Client, make_key: MakeKey
) -> None:
    """A result holds what the inputs held, which may be of any type."""
    callers = {
        "own": await make_key("reader", name="ann"),
        "other": await make_key("writer", name="eve"),
        "admin": await make_key("admin", name="root"),
        "granted": await make_key("admin", name="tom", types=("clinic",)),
    }
    headers = {name: {"X-API-Key": key} for name, key in callers.items()}
    made = await guarded.post("/api/json/v1/patch", json={**PATCH, "async": {}}, headers=headers["own"])
    path = made.headers["Location"]
    async with asyncio.timeout(60):
        while (await (await guarded.get(path, headers=headers["own"])).json())["jobStatus"] != "SUCCESS":
            await asyncio.sleep(0.02)

    states = {name: (await guarded.get(path, headers=each)).status for name, each in headers.items()}
    results = {name: (await guarded.get(f"{path}/result", headers=each)).status for name, each in headers.items()}

    assert states == results == {"own": 200, "other": 404, "admin": 200, "granted": 404}
