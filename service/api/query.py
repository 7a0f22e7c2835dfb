"""The query's parameters."""

from collections.abc import Set as AbstractSet

from aiohttp import web

from service.api import wire
from service.errors import InvalidRequestError

_LONGEST_NAME = 40


def only(request: web.Request, name: str) -> str | None:
    """Return the parameter's text, None where it is not there; refuse one that comes twice: which one is meant?"""
    texts = request.query.getall(name, [])
    if len(texts) > 1:
        raise InvalidRequestError(f"Query parameter '{name}' comes {len(texts)} times; send it once.", field=name)
    return texts[0] if texts else None


def check_names(request: web.Request, known: AbstractSet[str]) -> None:
    """Refuse parameters that the route has not: with a misspelt `dryRun` it would write."""
    unknown = [name for name in request.query if name not in known]
    if unknown:
        told = f"this route takes {', '.join(sorted(known))}" if known else "this route takes none"
        raise wire.refuse(
            [
                wire.fault(name[:_LONGEST_NAME], f"query parameter '{name[:_LONGEST_NAME]}' is unknown; {told}")
                for name in dict.fromkeys(unknown)
            ]
        )
