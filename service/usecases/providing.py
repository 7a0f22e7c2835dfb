"""Providers: kept, and asked whether they answer."""

import secrets as random
import time
import uuid
from base64 import b64decode, b64encode
from binascii import Error

import msgspec

from service.core.timestamp import format_timestamp
from service.delivery import BUILTIN, Endpoint, Mode, Notice, Sent
from service.errors import InvalidRequestError, NotFoundError, ReferencedError
from service.ports import Clock, EndpointStore, OutboxStore, Sender, UrlPolicy
from service.usecases.catalog import TypeCatalog

_PREFIX = "whsec_"
_SHORTEST_SECRET, _LONGEST_SECRET = 24, 64
_MOST_SECRETS = 2


class ProviderWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller wants a provider to be. Without `secrets` the present ones stay; a new provider is given one."""

    url: str
    secrets: tuple[str, ...] | None
    timeout_s: float
    deadline_s: float
    mode: Mode


async def put(
    name: str, wish: ProviderWish, *, store: EndpointStore, policy: UrlPolicy, clock: Clock, dry_run: bool = False
) -> tuple[Endpoint, bool]:
    """Keep a provider and enable it; return it and whether it is new.

    Raises `InvalidRequestError` for secrets that are none, `SourceForbiddenError` for a URL that may not be called.
    """
    if name == BUILTIN:
        raise InvalidRequestError("'builtin' is the service's own provider; give yours another name.", field="name")
    policy.target(wish.url)
    while True:
        before = await store.find(name)
        secrets = wish.secrets if wish.secrets is not None else before.secrets if before else (generate_secret(),)
        _check_secrets(secrets)
        provider = Endpoint(
            name=name,
            url=wish.url,
            secrets=secrets,
            timeout_s=wish.timeout_s,
            deadline_s=wish.deadline_s,
            mode=wish.mode,
            updated_at=format_timestamp(clock.now()),
        )
        if dry_run or await store.put(provider, before):
            return provider, before is None


def generate_secret() -> str:
    """Make a secret of the Standard Webhooks form, with 256 random bits."""
    return _PREFIX + b64encode(random.token_bytes(32)).decode()


def _check_secrets(secrets: tuple[str, ...]) -> None:
    if not 1 <= len(secrets) <= _MOST_SECRETS:
        raise InvalidRequestError("'secrets' takes one secret, or two while one replaces the other.", field="secrets")
    for secret in secrets:
        try:
            size = len(b64decode(secret.removeprefix(_PREFIX), validate=True))
        except (Error, ValueError):
            size = 0
        if not secret.startswith(_PREFIX) or not _SHORTEST_SECRET <= size <= _LONGEST_SECRET:
            raise InvalidRequestError(
                f"A secret is '{_PREFIX}' and {_SHORTEST_SECRET} to {_LONGEST_SECRET} random bytes in base64 "
                "(Standard Webhooks). Leave 'secrets' out and one is made.",
                field="secrets",
            )


async def find(name: str, store: EndpointStore) -> Endpoint:
    """Return the provider; raise `NotFoundError` when there is none of that name."""
    provider = await store.find(name)
    if provider is None:
        raise NotFoundError(f"There is no provider '{name}'; GET /providers lists those there are.")
    return provider


async def delete(
    name: str, *, store: EndpointStore, outbox: OutboxStore, catalog: TypeCatalog, dry_run: bool = False
) -> None:
    """Forget a provider; raise `ReferencedError` while a type names it or an application waits for it."""
    await find(name, store)
    types = [each.name for each in await catalog.list_defined() if each.definition.provider == name]
    if types:
        raise ReferencedError(f"Types name the provider '{name}': {', '.join(types[:5])}. Give them another first.")
    if await outbox.is_awaited(name):
        raise ReferencedError(f"Deliveries wait to be sent to '{name}'. Cancel their applications first.")
    if not dry_run:
        await store.delete(name)


async def ping(name: str, *, store: EndpointStore, sender: Sender, clock: Clock) -> tuple[Sent, float]:
    """Send a signed event of type `ping`, once; return what came of it and how many seconds it took."""
    provider = await find(name, store)
    now = clock.now()
    notice = Notice(
        id=f"msg_{uuid.uuid4().hex}",
        type="ping",
        source=f"/providers/{name}",
        subject=name,
        time=format_timestamp(now),
        data=msgspec.Raw(b"{}"),
    )
    start = time.monotonic()
    sent = await sender.send(provider, notice, now)
    return sent, time.monotonic() - start
