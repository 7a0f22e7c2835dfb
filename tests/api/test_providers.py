"""Providers, from outside."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from standardwebhooks import Webhook

from service.app import create_app
from service.keys import SHELF
from service.settings import Settings
from service.store.mongo import connect
from service.store.types import MongoTypes
from service.usecases.providing import generate_secret

Client = TestClient[web.Request, web.Application]


class Hook:
    """A provider that remembers what it got."""

    def __init__(self) -> None:
        self.url = ""
        self.port = 0
        self.status = 204
        self.retry_after = "1"
        self.hangs = False
        self.got: list[tuple[dict[str, str], bytes]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        if self.hangs:
            await asyncio.Event().wait()
        return web.Response(status=self.status, headers={"Retry-After": self.retry_after})


@pytest.fixture(name="hook")
async def make_hook(aiohttp_server: Callable[[web.Application], Awaitable[TestServer]]) -> Hook:
    hook, app = Hook(), web.Application()
    app.router.add_post("/", hook.take)
    server = await aiohttp_server(app)
    hook.url, hook.port = str(server.make_url("/")), server.port or 0
    return hook


@pytest.fixture(name="client")
async def make_client(aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings, hook: Hook) -> Client:
    allowed = msgspec.structs.replace(settings, url_allow=("127.0.0.0/8",), url_ports=(80, 443, hook.port))
    return await aiohttp_client(create_app(allowed))


async def put(client: Client, name: str, **body: Any) -> dict[str, Any]:
    response = await client.put(f"/providers/{name}", json=body)
    assert response.status in (200, 201), await response.text()
    return dict(await response.json())


async def test_a_secret_that_was_made_is_shown_once(client: Client, hook: Hook) -> None:
    made = await put(client, "one", url=hook.url)

    assert made["secret"].startswith("whsec_")
    shown = await (await client.get("/providers/one")).json()
    assert "secret" not in shown
    assert shown["live_secrets"] == 1
    again = await put(client, "one", url=hook.url)
    assert "secret" not in again


async def test_of_many_who_make_a_provider_at_a_time_one_is_shown_the_secret_that_signs(
    client: Client, hook: Hook
) -> None:
    made = await asyncio.gather(*(put(client, "raced", url=hook.url) for _ in range(5)))
    await client.post("/providers/raced/ping")

    [secret] = [each["secret"] for each in made if "secret" in each]
    headers, body = hook.got[0]
    assert Webhook(secret).verify(body, headers)["type"] == "ping"


async def test_a_secret_that_was_replaced_stays_so_whatever_else_is_changed_at_a_time(
    client: Client, hook: Hook
) -> None:
    await put(client, "rotated", url=hook.url)
    new = generate_secret()
    changes: list[dict[str, Any]] = [{"timeout_s": 2}, {"timeout_s": 3}, {"secrets": [new]}, {"timeout_s": 4}]

    await asyncio.gather(*(put(client, "rotated", url=hook.url, **each) for each in changes))
    await client.post("/providers/rotated/ping")

    headers, body = hook.got[0]
    assert Webhook(new).verify(body, headers)["type"] == "ping"


async def test_only_a_provider_that_was_made_has_a_location(client: Client, hook: Hook) -> None:
    made = await client.put("/providers/located", json={"url": hook.url})
    again = await client.put("/providers/located", json={"url": hook.url})

    assert (made.status, made.headers["Location"]) == (201, "/providers/located")
    assert (again.status, "Location" in again.headers) == (200, False)


async def test_ping_is_signed_with_both_secrets_while_one_replaces_the_other(client: Client, hook: Hook) -> None:
    old, new = generate_secret(), generate_secret()
    await put(client, "two", url=hook.url, secrets=[old, new])

    result = await (await client.post("/providers/two/ping")).json()

    assert result["delivered"] is True
    assert result["status"] == 204
    headers, body = hook.got[0]
    assert Webhook(old).verify(body, headers)["type"] == "ping"
    assert Webhook(new).verify(body, headers)["type"] == "ping"


async def test_ping_tells_what_went_wrong(client: Client, hook: Hook) -> None:
    await put(client, "three", url=hook.url)
    hook.status, hook.retry_after = 500, "Fri, 31 Dec 99 23:59:59 +9299999099999"

    result = await (await client.post("/providers/three/ping")).json()

    assert result == {
        "delivered": False,
        "status": 500,
        "error": "The provider answered 500.",
        "seconds": result["seconds"],
    }


async def test_a_ping_that_is_not_answered_in_time_says_so_of_the_provider(client: Client, hook: Hook) -> None:
    await put(client, "slow", url=hook.url, timeout_s=1)
    hook.hangs = True

    result = await (await client.post("/providers/slow/ping")).json()

    assert (result["delivered"], result["error"]) == (False, "The provider did not answer within 1 seconds.")


async def test_providers_are_listed_by_name_and_deleted(client: Client, hook: Hook) -> None:
    for name in ("zz-1", "zz-2", "zz-3"):
        await put(client, name, url=hook.url)

    first = await client.get("/providers?limit=500")
    names = [each["name"] for each in await first.json()]
    assert names == sorted(names)
    assert (await client.delete("/providers/zz-2")).status == 204
    assert (await client.get("/providers/zz-2")).status == 404
    assert (await client.delete("/providers/zz-2")).status == 404


async def test_a_provider_that_a_type_names_stays(client: Client, hook: Hook, settings: Settings) -> None:
    await put(client, "kept", url=hook.url)
    connection = connect(settings.mongodb_uri or "")
    types = MongoTypes(connection[settings.mongodb_database])
    await types.put("kept-type", b'{"provider": "kept"}', since=await types.read_count())
    client.app[SHELF].catalog.forget()

    response = await client.delete("/providers/kept")

    assert response.status == 409
    assert (await response.json())["code"] == "still-referenced"
    await types.delete("kept-type")
    client.app[SHELF].catalog.forget()
    connection.close()
    assert (await client.delete("/providers/kept")).status == 204


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("builtin", {"url": "https://p.example/"}, 400, "invalid-request"),
        ("-x", {"url": "https://p.example/"}, 400, "invalid-request"),
        ("p%0A", {"url": "https://p.example/"}, 400, "invalid-request"),
        ("p", {}, 400, "invalid-request"),
        ("p", {"url": "https://p.example/", "more": 1}, 400, "invalid-request"),
        ("p", {"url": "https://p.example/", "secrets": []}, 400, "invalid-request"),
        ("p", {"url": "https://p.example/", "secrets": ["whsec_short"]}, 400, "invalid-request"),
        ("p", {"url": "https://p.example/", "secrets": ["x" * 60]}, 400, "invalid-request"),
        ("p", {"url": "https://p.example/", "secrets": [generate_secret()] * 3}, 400, "invalid-request"),
        ("p", {"url": "https://p.example/", "timeout_s": 0}, 400, "invalid-request"),
        ("p", {"url": "ftp://p.example/"}, 403, "source-forbidden"),
        ("p", {"url": "http://10.0.0.1/"}, 403, "source-forbidden"),
        ("p", {"url": "http://u:p@p.example/"}, 403, "source-forbidden"),
        ("p", {"url": "nonsense"}, 403, "source-forbidden"),
    ],
)
async def test_what_cannot_be_is_refused(
    client: Client, name: str, body: dict[str, Any], status: int, code: str
) -> None:
    response = await client.put(f"/providers/{name}", json=body)

    assert response.status == status
    assert (await response.json())["code"] == code
    assert "whsec" not in (await response.text()).replace("'whsec_'", "")


async def test_the_contract_says_how_many_secrets_there_may_be(client: Client) -> None:
    contract = await (await client.get("/openapi.json")).json()

    secrets = contract["components"]["schemas"]["PutProvider"]["properties"]["secrets"]

    assert (secrets["minItems"], secrets["maxItems"]) == (1, 2)


async def test_deliveries_that_are_not_there(client: Client) -> None:
    assert (await client.get("/deliveries/none")).status == 404
    assert (await client.post("/deliveries/none/replay")).status == 404
    assert (await client.post("/deliveries/replay", json={"provider": "none"})).status == 404
    assert (await client.get("/deliveries?state=odd")).status == 400
    assert await (await client.get("/deliveries?state=dead&provider=none")).json() == []


async def test_dry_runs_of_writes_write_nothing(client: Client, hook: Hook) -> None:
    made = await client.put("/providers/dry?dryRun=true", json={"url": hook.url})

    assert (made.status, made.headers["Patchbay-Dry-Run"]) == (201, "true")
    assert "secret" not in await made.json(), "it is none that will ever sign"
    assert (await client.get("/providers/dry")).status == 404
    await put(client, "wet", url=hook.url)
    assert (await client.delete("/providers/wet?dryRun=true")).status == 204
    assert (await client.get("/providers/wet")).status == 200
    replayed = await client.post("/deliveries/replay?dryRun=true", json={"provider": "wet"})
    assert await replayed.json() == {"replayed": 0}
