"""One parameter of the query."""

from aiohttp import web

from service.errors import InvalidRequestError


def only(request: web.Request, name: str) -> str | None:
    """Return the parameter's text, None where it is not there; refuse one that comes twice: which one is meant?"""
    texts = request.query.getall(name, [])
    if len(texts) > 1:
        raise InvalidRequestError(f"Query parameter '{name}' comes {len(texts)} times; send it once.", field=name)
    return texts[0] if texts else None
