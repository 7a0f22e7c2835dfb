"""Tokens are believed only when every check holds."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from service.access.tokens import TokenAuthenticator
from service.errors import UnauthenticatedError

ISSUER, AUDIENCE = "https://issuer.example", "patchbay"
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)


def pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def jwk_of(key: ec.EllipticCurvePrivateKey, kid: str) -> dict[str, Any]:
    return {**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())), "kid": kid}


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    whole = {"sub": "ann", "iss": ISSUER, "aud": AUDIENCE, "exp": now + 60, "roles": ["writer"], **changes}
    return {name: value for name, value in whole.items() if value is not None}


def sign(payload: dict[str, Any], key: Any = KEY, algorithm: str = "ES256", **headers: Any) -> str:
    return jwt.encode(payload, key, algorithm=algorithm, headers=headers)


def unsigned(payload: dict[str, Any]) -> str:
    return jwt.encode(payload, "", algorithm="none")


def confused(payload: dict[str, Any]) -> str:
    """A token signed with HMAC, the public key being the secret."""

    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    body = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(payload).encode())
    return (body + b"." + part(hmac.digest(pem_of(KEY), body, "sha256"))).decode()


async def authenticator(text: bytes) -> TokenAuthenticator:
    async def load() -> bytes:
        return text

    made = TokenAuthenticator(load, issuer=ISSUER, audience=AUDIENCE)
    await made.prepare()
    return made


async def test_sound_token_names_its_caller() -> None:
    tokens = await authenticator(pem_of(KEY))

    caller = await tokens.authenticate(sign(claims(types=["clinic"], roles=["writer", "unheard-of"])))

    assert caller.name == "ann"
    assert caller.roles == {"writer"}
    assert caller.types == frozenset({"clinic"})


async def test_token_picks_its_key_from_the_set() -> None:
    keys = {"keys": [jwk_of(OTHER, "1"), jwk_of(KEY, "2")]}
    tokens = await authenticator(json.dumps(keys).encode())

    assert (await tokens.authenticate(sign(claims(), kid="2"))).name == "ann"
    with pytest.raises(UnauthenticatedError, match="signature"):
        await tokens.authenticate(sign(claims(), kid="1"))
    with pytest.raises(UnauthenticatedError, match="does not hold"):
        await tokens.authenticate(sign(claims(), RSA_KEY, "RS256", kid="2"))
    with pytest.raises(UnauthenticatedError, match="key is not known"):
        await tokens.authenticate(sign(claims(), kid="3"))


async def test_a_busy_token_is_verified_every_other_second(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, token, now = await authenticator(pem_of(KEY)), sign(claims()), time.monotonic()
    verify = Mock(wraps=jwt.decode)
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(jwt, "decode", verify)

    for seconds in (0, 0, 1.9, 0.2, 1, 1):
        now += seconds
        assert (await tokens.authenticate(token)).name == "ann"

    assert verify.call_count == 3


async def test_rsa_keys_do_too() -> None:
    tokens = await authenticator(pem_of(RSA_KEY))

    assert (await tokens.authenticate(sign(claims(), RSA_KEY, "RS256"))).name == "ann"


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        pytest.param(lambda: sign(claims(exp=int(time.time()) - 60)), "expired", id="expired"),
        pytest.param(lambda: sign(claims(nbf=int(time.time()) + 600)), "not valid yet", id="not yet valid"),
        pytest.param(lambda: sign(claims(aud="other")), "another audience", id="audience"),
        pytest.param(lambda: sign(claims(iss="other")), "another issuer", id="issuer"),
        pytest.param(lambda: sign(claims(exp=None)), "lacks one of", id="no expiry"),
        pytest.param(lambda: sign(claims(sub=None)), "lacks one of", id="no subject"),
        pytest.param(lambda: sign(claims(), OTHER), "signature", id="forged"),
        pytest.param(lambda: unsigned(claims()), "algorithm is not accepted", id="alg none"),
        pytest.param(lambda: confused(claims()), "algorithm is not accepted", id="key confusion"),
        pytest.param(lambda: sign(claims(), RSA_KEY, "RS256"), "algorithm is not accepted", id="other kind of key"),
        pytest.param(lambda: "a.b.c", "malformed", id="garbage"),
        pytest.param(lambda: "x" * 20_000, "too long", id="huge"),
        pytest.param(lambda: sign(claims(types="clinic")), "list of type names", id="types not a list"),
        pytest.param(lambda: sign(claims() | {"types": None}), "list of type names", id="types null"),
    ],
)
async def test_token_that_does_not_hold_is_refused(forge: Callable[[], str], reason: str) -> None:
    tokens = await authenticator(pem_of(KEY))

    with pytest.raises(UnauthenticatedError, match=reason):
        await tokens.authenticate(forge())


async def test_keys_that_are_none_are_refused_at_start() -> None:
    with pytest.raises(ValueError, match="JWKS"):
        await authenticator(b"{}")
