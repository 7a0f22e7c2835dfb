"""Which way of telling callers apart the settings ask for."""

from service.access.jwks import jwks_loader
from service.access.keys import KeyAuthenticator
from service.access.tokens import TokenAuthenticator
from service.errors import StartError
from service.ports import Authenticator, Clock, KeyStore
from service.settings import Settings


async def choose_authenticator(settings: Settings, store: KeyStore, clock: Clock) -> Authenticator | None:
    """Make what tells callers apart, None where authentication is off; `StartError` when its settings do not do."""
    if settings.auth == "keys":
        return KeyAuthenticator(store, clock)
    if settings.auth == "none":
        return None
    if not (settings.jwt_jwks and settings.jwt_issuer and settings.jwt_audience):
        raise StartError("PATCHBAY_AUTH=jwt needs PATCHBAY_JWT_JWKS, PATCHBAY_JWT_ISSUER and PATCHBAY_JWT_AUDIENCE.")
    tokens = TokenAuthenticator(
        jwks_loader(settings.jwt_jwks), issuer=settings.jwt_issuer, audience=settings.jwt_audience
    )
    try:
        await tokens.prepare()
    except OSError as error:
        raise StartError(
            f"PATCHBAY_JWT_JWKS cannot be read: {error.strerror or str(error) or 'no answer in time'}."
        ) from error
    except ValueError as error:
        raise StartError("PATCHBAY_JWT_JWKS names neither a JWKS nor a PEM public key that signs tokens.") from error
    return tokens
