"""`Idempotency-Key`: the same request sent again gets the first answer, and is not carried out twice."""

import functools
import hashlib

from aiohttp import web

from service.api import problems
from service.api.bodies import read_body
from service.api.flags import runs_dry
from service.api.route import Handler, Param
from service.errors import (
    BusyIdempotencyKeyError,
    IdempotencyKeyReusedError,
    InvalidRequestError,
    ServiceError,
)
from service.keys import CALLER, IDEMPOTENCY, REQUEST_ID, WRITE_ID
from service.model import Answer

_MAX_LENGTH = 255
_MAX_KEPT_BYTES = 1024 * 1024
"""A larger answer is not kept: the request is carried out again, and its write id says that it was done."""
_KEPT_HEADERS = (
    "Content-Type",
    "ETag",
    "Location",
    "Preference-Applied",
    "Accept-Post",
    "Accept-Patch",
)
# Whatever changes here, or in `_fingerprint`, makes an upgrade refuse requests that are sent again across it.
_TELLING_HEADERS = ("Content-Type", "If-Match", "If-None-Match", "Prefer", "Patchbay-Message", "Patchbay-Token")

KEY_PARAM = Param(
    name="Idempotency-Key",
    where="header",
    description="the same key and request within 24 hours get the first answer again; another request is refused",
    schema={"type": "string", "maxLength": _MAX_LENGTH},
)
KEY_ERRORS: tuple[type[ServiceError], ...] = (BusyIdempotencyKeyError, IdempotencyKeyReusedError)
"""What a key may be refused for."""


def idempotent(handler: Handler) -> Handler:
    """Make a handler honour the key. `request[WRITE_ID]`, set where there is one, is that of whatever it writes."""

    @functools.wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        key = key_of(request)
        if key is None or runs_dry(request):  # what writes nothing may be done again
            return await handler(request)
        return await _handle_once(request, key, handler)

    return handle


def key_of(request: web.Request) -> str | None:
    """Read the key, None where there is none; raise `InvalidRequestError` for one that cannot be."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= _MAX_LENGTH and key.isascii() and key.isprintable()):
        raise InvalidRequestError(
            f"Idempotency-Key has 1 to {_MAX_LENGTH} printable ASCII characters.", field="Idempotency-Key"
        )
    return key


async def _handle_once(request: web.Request, key: str, handler: Handler) -> web.StreamResponse:
    scope = _digest(request[CALLER].name, key)
    store = request.app[IDEMPOTENCY]
    kept = await store.begin(scope, await _fingerprint(request))
    if kept is not None:
        headers = {**kept.headers, "Idempotency-Replayed": "true"}
        return web.Response(status=kept.status, headers=headers, body=kept.body)
    request[WRITE_ID] = scope
    try:
        response = await handler(request)
    except ServiceError as error:
        if problems.status_of(type(error)) >= 500 or error.retry_after_s is not None:
            await store.abandon(scope)  # the same request may be answered otherwise later
            raise
        response = problems.answer(error, request, request[REQUEST_ID])
    body = response.body if isinstance(response, web.Response) else None
    if body is None or (isinstance(body, bytes) and len(body) <= _MAX_KEPT_BYTES):
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        await store.finish(scope, Answer(response.status, headers, body or b""))
    else:
        await store.abandon(scope)
    return response


async def _fingerprint(request: web.Request) -> str:
    headers = [f"{name}:{request.headers.get(name, '')}" for name in _TELLING_HEADERS]
    body = hashlib.sha256(await read_body(request)).hexdigest()
    return _digest(request.method, request.path_qs, *headers, body)


def _digest(*parts: str) -> str:
    whole = hashlib.sha256()
    for part in parts:
        text = part.encode(errors="surrogateescape")
        whole.update(len(text).to_bytes(8, "big") + text)
    return whole.hexdigest()
