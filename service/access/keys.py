"""Callers known by API keys."""

from service.access import secrets
from service.access.remembered import Remembered
from service.core.timestamp import format_timestamp
from service.errors import UnauthenticatedError
from service.model import ApiKey, Caller
from service.ports import Clock, KeyStore

_REFUSAL = "The API key is not known, has expired or was revoked. `patchbay keys create` makes one."


class KeyAuthenticator:
    """Tells callers by their API keys, which `patchbay keys` makes."""

    def __init__(self, store: KeyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._remembered = Remembered[ApiKey | None]()

    async def authenticate(self, credential: str) -> Caller:
        """Return the key's caller; raise `UnauthenticatedError` when the key does not hold."""
        text = secrets.parse(credential)
        key = await self._remembered.find(text.id, lambda: self._look_up(text.id)) if text else None
        stored = key.digest if key else secrets.digest("")
        known = secrets.matches(text.secret if text else "", stored)
        if key is None or not known or not self._holds(key):
            raise UnauthenticatedError(_REFUSAL)
        return Caller(key.name, frozenset({key.role}), frozenset(key.types) if key.types else None)

    def _holds(self, key: ApiKey) -> bool:
        now = format_timestamp(self._clock.now())
        return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)

    async def _look_up(self, key_id: str) -> ApiKey | None:
        return await self._store.use(key_id, format_timestamp(self._clock.now()))
