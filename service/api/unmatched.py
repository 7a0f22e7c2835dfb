"""What no route has: answered 404, or 405 where other methods are."""

from typing import NoReturn

from aiohttp import web

PATH = "/{path:[\\s\\S]*}"


async def refuse(request: web.Request) -> NoReturn:
    """Refuse the request. aiohttp itself would, too, but takes no `Expect` that is not UTF-8."""
    allowed: set[str] = set()
    for resource in request.app.router.resources():
        if resource is not request.match_info.route.resource:
            allowed |= (await resource.resolve(request))[1]
    if allowed:
        raise web.HTTPMethodNotAllowed(request.method, allowed)
    raise web.HTTPNotFound
