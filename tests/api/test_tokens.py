"""`PATCHBAY_AUTH=jwt`: tokens of an issuer, believed by its keys, which come from a file or from its own server."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.access import tokens
from service.app import create_app
from service.errors import StartError
from service.settings import Settings
from tests.unit.access.test_tokens import AUDIENCE, ISSUER, KEY, OTHER, claims, jwk_of, pem_of, sign

Client = TestClient[web.Request, web.Application]
Trusting = Callable[[str], web.Application]


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(name="trusting")
def make_trusting(settings: Settings) -> Trusting:
    """Make a service that believes the keys at a place."""

    def make(where: str) -> web.Application:
        issuer = {"auth": "jwt", "jwt_jwks": where, "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}
        return create_app(msgspec.structs.replace(settings, **issuer))

    return make


_AGREES = X25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


async def refuse_to_start(app: web.Application, why: str) -> None:
    runner = web.AppRunner(app)
    with pytest.raises(StartError, match=why):
        await runner.setup()
    await runner.cleanup()


class Issuer:
    """Serves its keys."""

    def __init__(self) -> None:
        self.keys = [jwk_of(KEY, "first")]
        self.status = 200
        self.padding = 0
        self.instead: bytes | None = None
        self.answers, self.asked = asyncio.Event(), asyncio.Event()
        self.answers.set()

    async def jwks(self, request: web.Request) -> web.Response:  # noqa: ARG002
        if not self.answers.is_set():
            self.asked.set()
            await self.answers.wait()
        text = self.instead or msgspec.json.encode({"keys": self.keys}) + b" " * self.padding
        return web.Response(body=text, status=self.status, content_type="application/json")


@pytest.fixture(name="issuer")
def make_issuer() -> Issuer:
    return Issuer()


@pytest.fixture(name="jwks_url")
async def serve_jwks(aiohttp_server: Callable[[web.Application], Awaitable[TestServer]], issuer: Issuer) -> str:
    app = web.Application()
    app.router.add_get("/jwks", issuer.jwks)
    return str((await aiohttp_server(app)).make_url("/jwks"))


@pytest.fixture(name="asking")
async def ask_issuer_at_once(
    aiohttp_client: Callable[..., Awaitable[Client]],
    trusting: Trusting,
    jwks_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Client:
    """Start a service that asks the issuer for every key that it does not know."""
    monkeypatch.setattr(tokens, "_RETRY_AFTER_S", 0.0)
    return await aiohttp_client(trusting(jwks_url))


async def create(client: Client, token: str) -> tuple[int, Any]:
    response = await client.post("/v1/clinic", json={"name": "A"}, headers=bearing(token))
    return response.status, await response.json()


async def test_roles_of_the_token_are_granted_and_its_subject_is_the_author(
    aiohttp_client: Callable[..., Awaitable[Client]], trusting: Trusting, tmp_path: Path
) -> None:
    (tmp_path / "key.pem").write_bytes(pem_of(KEY))
    client = await aiohttp_client(trusting(str(tmp_path / "key.pem")))

    status, made = await create(client, sign(claims(sub="ann", roles=["writer"])))
    refused = await create(client, sign(claims(sub="bob", roles=["reader"])))
    forged = await create(client, sign(claims(), OTHER))

    assert status == 201
    history = await client.get(f"/v1/clinic/{made['id']}/history", headers=bearing(sign(claims(roles=["reader"]))))
    assert [each["by"] for each in await history.json()] == ["ann"]
    assert (refused[0], refused[1]["code"]) == (403, "forbidden")
    assert (forged[0], forged[1]["code"]) == (401, "unauthenticated")


async def test_keys_are_fetched_from_the_issuer(
    aiohttp_client: Callable[..., Awaitable[Client]], trusting: Trusting, jwks_url: str
) -> None:
    client = await aiohttp_client(trusting(jwks_url))

    assert (await create(client, sign(claims(), kid="first")))[0] == 201
    assert (await create(client, sign(claims(), OTHER, kid="second")))[0] == 401


@pytest.mark.parametrize(("member", "value"), [("status", 500), ("padding", 2_000_000), ("keys", [])])
async def test_keys_that_cannot_be_had_stop_the_start(
    trusting: Trusting, issuer: Issuer, jwks_url: str, member: str, value: Any
) -> None:
    setattr(issuer, member, value)

    await refuse_to_start(trusting(jwks_url), "PATCHBAY_JWT_JWKS")


async def test_no_file_of_keys_stops_the_start(trusting: Trusting, tmp_path: Path) -> None:
    await refuse_to_start(trusting(str(tmp_path / "missing.pem")), "PATCHBAY_JWT_JWKS .*No such file")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"[]", id="an array"),
        pytest.param(b'{"keys": {"kty": "EC"}}', id="an object of keys"),
        pytest.param(b'{"keys": [{"kty": "oct", "k": "AAAA"}]}', id="a shared secret"),
        pytest.param(_AGREES, id="a key that agrees"),
        pytest.param(
            b"-----BEGIN PUBLIC KEY-----\nMD4wEAYHKoZIzj0CAQYFK4EEAAgDKgAERZYLUmlBF98B2ZyfTjKxZWCjIUVkpmpU\n"
            b"/0JX/+KxYgx0fCvlNKG0ig==\n-----END PUBLIC KEY-----\n",
            id="a curve of old",
        ),
    ],
)
async def test_a_file_without_a_key_that_signs_stops_the_start(trusting: Trusting, tmp_path: Path, text: bytes) -> None:
    (tmp_path / "keys").write_bytes(text)

    await refuse_to_start(trusting(str(tmp_path / "keys")), "PATCHBAY_JWT_JWKS")


async def test_an_issuer_that_answers_something_else_is_asked_again(asking: Client, issuer: Issuer) -> None:
    issuer.instead = b"[]"

    made_up = await create(asking, sign(claims(), kid="made-up"))
    known = await create(asking, sign(claims(), kid="first"))

    assert (made_up[0], known[0]) == (401, 201)


async def test_settings_that_are_missing_stop_the_start(settings: Settings) -> None:
    app = create_app(msgspec.structs.replace(settings, auth="jwt", jwt_jwks="https://i.example/"))

    await refuse_to_start(app, "PATCHBAY_JWT_ISSUER")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"roles": ["writer", [], {}, 1, None]}, 201, id="roles that are none"),
        pytest.param({"roles": {"writer": True}}, 403, id="roles as an object"),
        pytest.param({"sub": "\ud800"}, 401, id="subject that is no text"),
        pytest.param({"sub": "a\x00b"}, 401, id="subject with a control character"),
        pytest.param({"sub": "x" * 257}, 401, id="long subject"),
        pytest.param({"sub": "x" * 256}, 201, id="longest subject"),
        pytest.param({"sub": ""}, 401, id="empty subject"),
        pytest.param({"types": ["\ud800", "clinic"]}, 201, id="type that is no text"),
    ],
)
async def test_odd_claims_are_refused_or_grant_nothing(
    aiohttp_client: Callable[..., Awaitable[Client]],
    trusting: Trusting,
    tmp_path: Path,
    changes: dict[str, Any],
    status: int,
) -> None:
    (tmp_path / "key.pem").write_bytes(pem_of(KEY))
    client = await aiohttp_client(trusting(str(tmp_path / "key.pem")))

    assert (await create(client, sign(claims(**changes))))[0] == status


async def test_known_keys_open_while_the_issuer_hangs(asking: Client, issuer: Issuer) -> None:
    """A token with a made-up key id makes the service ask the issuer again; others must not wait for that."""
    issuer.answers.clear()
    made_up = asyncio.create_task(create(asking, sign(claims(), kid="made-up")))
    async with asyncio.timeout(30):
        await issuer.asked.wait()

        opened = await create(asking, sign(claims(), kid="first"))
        was_waiting = not made_up.done()
        issuer.keys.append(jwk_of(OTHER, "second"))
        issuer.answers.set()
        refused = await made_up
        rotated = await create(asking, sign(claims(), OTHER, kid="second"))

    assert (opened[0], was_waiting, refused[0], rotated[0]) == (201, True, 401, 201)
