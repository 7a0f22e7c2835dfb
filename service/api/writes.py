"""What every write of resources reads from its request, and how a resource is answered."""

import uuid

from aiohttp import web

from service.api.bodies import read_body
from service.api.conditions import format_tag, read_conditions
from service.api.flags import flag
from service.api.preferences import prefers_merge, prefers_minimal
from service.api.replies import json_reply
from service.core import values
from service.core.values import Json
from service.errors import InvalidRequestError
from service.keys import CALLER, SETTINGS, WRITE_ID
from service.model import Attribution
from service.usecases.presenting import Shown
from service.usecases.writing import Mode, Target

_MAX_MESSAGE = 1000
_UNTOLD_BYTES = 1024 * 1024
"""What a body that does not tell its length is taken to have."""


def target_of(request: web.Request) -> Target:
    """Read what the URL names."""
    return Target(request.match_info["type"], request.match_info["id"], request[CALLER].types)


def mode_of(request: web.Request) -> Mode:
    """Read under which conditions, by whom and why something is written."""
    return Mode(
        attribution=Attribution(by=request[CALLER].name, why=_message(request), write_id=request.get(WRITE_ID)),
        conditions=read_conditions(request),
        dry_run=flag(request, "dryRun"),
        merges=prefers_merge(request),
        weight=_UNTOLD_BYTES if request.content_length is None and request.body_exists else request.content_length or 0,
    )


def new_id(request: web.Request) -> str:
    """Make the id of what is new; the same one for the same idempotency key."""
    key = request.get(WRITE_ID)
    return str(uuid.uuid4() if key is None else uuid.UUID(hex=key[:32], version=4))


async def read_content(request: web.Request) -> dict[str, Json]:
    """Read a body that is a resource's content."""
    content = values.decode(await read_body(request), max_depth=request.app[SETTINGS].max_depth)
    if not isinstance(content, dict):
        raise InvalidRequestError("A resource is a JSON object.")
    return content


def reply(request: web.Request, shown: Shown, *, created: bool = False) -> web.Response:
    """Answer a resource: whole, or as little as the client prefers."""
    resource = shown.resource
    headers = {"ETag": format_tag(resource.version)}
    if created and not flag(request, "dryRun"):
        headers["Location"] = f"/v1/{resource.type}/{resource.id}"
    is_minimal = prefers_minimal(request)
    applied = ["merge"] * shown.merged + ["return=minimal"] * is_minimal
    if applied:
        headers["Preference-Applied"] = ", ".join(applied)
    if is_minimal:
        return web.Response(status=204, headers=headers)
    return json_reply(shown.text, status=201 if created else 200, headers=headers)


def _message(request: web.Request) -> str | None:
    message = request.headers.get("Patchbay-Message")
    if message is None:
        return None
    try:
        message.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequestError("Patchbay-Message is not UTF-8.", field="Patchbay-Message") from error
    if len(message) > _MAX_MESSAGE:
        raise InvalidRequestError(
            f"Patchbay-Message has more than {_MAX_MESSAGE} characters.", field="Patchbay-Message"
        )
    return message
