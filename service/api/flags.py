"""Booleans: of the query, and of the compare family, whose older clients spell them as strings."""

from typing import Annotated, Any, Literal

from aiohttp import web
from msgspec import Meta

from service.api.query import only
from service.errors import InvalidRequestError

Flag = Annotated[bool | Literal["true", "false"], Meta(description="a boolean, or one of the strings true and false")]


def is_set(flag: Any) -> bool:
    """Read a flag.

    >>> is_set(True), is_set("true"), is_set("false")
    (True, True, False)
    """
    return flag is True or flag == "true"


def runs_dry(request: web.Request) -> bool:
    """Say whether a request that would write was to write nothing."""
    return bool(request.query_string) and request.query.get("dryRun", "false").lower() in ("true", "")


def flag(request: web.Request, name: str) -> bool:
    """Read a query parameter that is `true` or `false`; absent is false."""
    if not request.query_string:
        return False
    given = only(request, name)
    text = "false" if given is None else given.lower()
    if text not in ("true", "false", ""):
        raise InvalidRequestError(f"Query parameter '{name}' is {text!r}; it takes true or false.", field=name)
    return text in ("true", "")
