"""Callers known by JSON Web Tokens (RFC 7519), checked by PyJWT against keys the operator names."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, get_args

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from service.access import secrets
from service.access.remembered import Remembered
from service.errors import ServiceError, UnauthenticatedError
from service.model import LONGEST_NAME, Caller, Role, is_name

_LOG = logging.getLogger(__name__)
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures only: neither `none`, nor a shared secret that a public key could be mistaken for."""
_PREFIXES: dict[type, tuple[str, ...]] = {
    RSAPublicKey: ("RS", "PS"),
    EllipticCurvePublicKey: ("ES",),
    Ed25519PublicKey: ("Ed",),
}
_LEEWAY_S = 30
_REFRESH_AFTER_S = 600.0
_RETRY_AFTER_S = 10.0
_LONGEST = 16 * 1024
_ROLES: tuple[Role, ...] = get_args(Role)

LoadKeys = Callable[[], Awaitable[bytes]]
"""Obtains the text of a JWKS (RFC 7517) or of a PEM public key."""


class TokenAuthenticator:
    """Tells callers by bearer tokens: `sub` names the caller, `roles` and `types` grant, `exp` is needed."""

    def __init__(self, load_keys: LoadKeys, *, issuer: str, audience: str) -> None:
        self._load_keys = load_keys
        self._issuer = issuer
        self._audience = audience
        self._keys: dict[str | None, Any] = {}
        self._loaded_at = float("-inf")
        self._loading = asyncio.Lock()
        self._remembered = Remembered[Caller]()

    async def prepare(self) -> None:
        """Load the keys for the first time; `ValueError` when they are none."""
        self._keys = parse_keys(await self._load_keys())
        self._loaded_at = time.monotonic()

    async def authenticate(self, credential: str) -> Caller:
        """Return the token's caller; raise `UnauthenticatedError` saying which check failed."""
        if len(credential) > _LONGEST:
            raise UnauthenticatedError("The token is too long.")
        return await self._remembered.find(secrets.digest(credential), lambda: self._verify(credential))

    async def _verify(self, credential: str) -> Caller:
        try:
            header = jwt.get_unverified_header(credential)
            key = await self._key(header.get("kid"))
            claims = jwt.decode(
                credential,
                key,
                algorithms=_algorithms_for(key),
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
        except jwt.PyJWTError as error:
            raise UnauthenticatedError(f"The token does not hold: {_explain(error)}.") from error
        return _caller(claims)

    async def _key(self, kid: str | None) -> Any:
        """Find the key a token names; one that is known is not waited for while the keys are loaded again."""
        key = self._known(kid)
        if key is None or not (self._loading.locked() or self._age() <= _REFRESH_AFTER_S):
            async with self._loading:
                if self._age() > (_REFRESH_AFTER_S if kid in self._keys else _RETRY_AFTER_S):
                    await self._refresh()
            key = self._known(kid)
        if key is None:
            raise jwt.InvalidKeyError("no such key")
        return key

    def _known(self, kid: str | None) -> Any:
        """Return the key of that id; a token without `kid` may use the only key there is."""
        if kid not in self._keys and len(self._keys) == 1 and (kid is None or None in self._keys):
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    def _age(self) -> float:
        return time.monotonic() - self._loaded_at

    async def _refresh(self) -> None:
        """Load the keys again; where that fails the present ones go on, until it succeeds."""
        self._loaded_at = time.monotonic()
        try:
            self._keys = parse_keys(await self._load_keys())
        except (ValueError, OSError, TimeoutError, ServiceError) as error:
            _LOG.warning("the keys of tokens could not be refreshed: %s", type(error).__name__)


def parse_keys(text: bytes) -> dict[str | None, Any]:
    """Read a JWKS, by key id, or a PEM public key, under None; `ValueError` for what is neither."""
    try:
        if text.lstrip().startswith(b"-----BEGIN"):
            keys: dict[str | None, Any] = {None: load_pem_public_key(text)}
        else:
            found = jwt.PyJWKSet.from_json(text.decode()).keys
            keys = {key.key_id: key for key in found if key.key_type != "oct"}
    except (jwt.PyJWTError, UnsupportedAlgorithm, AttributeError, TypeError) as error:  # the last two: other JSON
        raise ValueError("not a JWKS") from error
    if not any(map(_algorithms_for, keys.values())):
        raise ValueError("no key that signs tokens")
    return keys


def _algorithms_for(key: Any) -> tuple[str, ...]:
    """List what a key can have signed with; PyJWT itself holds a key of a JWKS to its own algorithm."""
    for kind, prefixes in _PREFIXES.items():
        if isinstance(key, kind):
            return tuple(each for each in ALGORITHMS if each.startswith(prefixes))
    return ALGORITHMS if isinstance(key, jwt.PyJWK) else ()


def _caller(claims: dict[str, Any]) -> Caller:
    name, roles, types = str(claims["sub"]), claims.get("roles", []), claims.get("types")
    if not is_name(name):
        raise UnauthenticatedError(f"The token's claim 'sub' must be 1 to {LONGEST_NAME} printable characters.")
    granted = frozenset(role for role in _ROLES if role in roles) if isinstance(roles, list) else frozenset[Role]()
    if "types" in claims and not (isinstance(types, list) and all(isinstance(each, str) for each in types)):
        raise UnauthenticatedError("The token's claim 'types' must be a list of type names.")
    return Caller(name, granted, None if types is None else frozenset(filter(str.isascii, types)))


def _explain(error: jwt.PyJWTError) -> str:
    """Say which check failed, without what the token holds."""
    reasons: dict[type[jwt.PyJWTError], str] = {
        jwt.ExpiredSignatureError: "it has expired",
        jwt.ImmatureSignatureError: "it is not valid yet",
        jwt.InvalidAudienceError: "it is for another audience",
        jwt.InvalidIssuerError: "it comes from another issuer",
        jwt.MissingRequiredClaimError: "it lacks one of exp, sub, iss, aud",
        jwt.InvalidAlgorithmError: "its algorithm is not accepted",
        jwt.InvalidSignatureError: "its signature is wrong",
        jwt.InvalidKeyError: "its key is not known",
    }
    return next((reasons[each] for each in type(error).__mro__ if each in reasons), "it is malformed")
