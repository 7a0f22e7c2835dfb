"""Pages of lists: `limit` and `cursor` in, the `Link` to the next page out."""

import base64
import binascii
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from service.api.query import only
from service.api.route import Param
from service.errors import InvalidRequestError

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 500
_LONGEST_CURSOR = 6000

PAGE_PARAMS = (
    Param(
        name="limit",
        schema={"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT},
        description="at most so many",
    ),
    Param(name="cursor", description="where to go on; comes in the `Link` of the page before"),
)
LINK_HEADER = Param(name="Link", where="header", description='the next page, `rel="next"`; absent on the last one')

T = TypeVar("T")


def limit_of(request: web.Request) -> int:
    """Read `limit`; raise `InvalidRequestError` when it is not a number from 1 to 500."""
    text = only(request, "limit")
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= LARGEST_LIMIT):
        raise InvalidRequestError(f"'limit' is {text!r}; it takes 1 to {LARGEST_LIMIT}.", field="limit")
    return int(text)


def write_cursor(kind: str, position: Any) -> str:
    """Write a position in a list as opaque text. `kind` names the list, so that no other takes it."""
    return base64.urlsafe_b64encode(msgspec.json.encode([kind, position])).rstrip(b"=").decode()


def cursor_of(request: web.Request, kind: str, shape: type[T]) -> T | None:
    """Read `cursor` as a position of `shape`, None when there is none.

    Raises `InvalidRequestError` for a cursor of another list, or one that the service did not write.
    """
    text = only(request, "cursor")
    if text is None:
        return None
    try:
        return _read_cursor(text, kind, shape)
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        refusal = "This cursor is none of this list; start again without one."
        raise InvalidRequestError(refusal, field="cursor") from error


def _read_cursor(text: str, kind: str, shape: type[T]) -> T:
    if len(text) > _LONGEST_CURSOR:
        raise ValueError("too long")
    padded = text.encode("ascii") + b"=" * (-len(text) % 4)
    whole = base64.b64decode(padded, b"-_", validate=True)
    given, position = msgspec.json.decode(whole, type=tuple[str, msgspec.Raw])
    if given != kind:
        raise ValueError("of another list")
    return msgspec.json.decode(position, type=shape)


def next_link(request: web.Request, cursor: str | None) -> dict[str, str]:
    """Return the header that names the next page; nothing when this was the last."""
    if cursor is None:
        return {}
    url = request.rel_url.update_query(cursor=cursor)
    return {"Link": f'<{url}>; rel="next"'}
