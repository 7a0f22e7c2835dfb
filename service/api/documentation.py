"""The contract as the service itself hands it out: `/openapi.yaml`, `/openapi.json`, `/docs`, `/problems/<code>`."""

import base64
import hashlib
import inspect
from collections.abc import Iterator
from html import escape
from pathlib import Path

from aiohttp import web
from swagger_ui_bundle import swagger_ui_path

from service import errors
from service.api import problems, replies
from service.api.route import Answer, Content, Param, Route
from service.errors import NotFoundError, ServiceError
from service.keys import CONTRACT

_HTML = {"type": "string"}
_ASSETS = Path(swagger_ui_path)
_TYPES = {".css": "text/css", ".js": "text/javascript", ".png": "image/png"}
_FRAMEWORK = {
    problems.METHOD_NOT_ALLOWED: (
        "Method Not Allowed",
        ["405: The route does not know the method; the header `Allow` lists those that it knows."],
    ),
    problems.EXPECTATION_FAILED: (
        "Expectation Failed",
        ["417: The header `Expect` asks for something else than `100-continue`, the only expectation that is met."],
    ),
    problems.HTTP_ERROR: ("HTTP error", ["The HTTP layer refuses the request; the detail and the status say why."]),
}
"""What no class of the service's errors stands for."""
_BEGIN = (
    'fetch("/openapi.json").then(answer => answer.json()).then(contract => SwaggerUIBundle('
    '{spec: {...contract, openapi: "3.0.3", servers: [{url: "/"}]}, dom_id: "#ui", deepLinking: true}))'
)
"""The bundled page refuses 3.1 by its number, and shows what it has. It tries out the service that it comes from."""
_PAGE = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Patchbay API</title>
<link rel="stylesheet" href="/docs/assets/swagger-ui.css"><link rel="icon" href="/docs/assets/favicon-32x32.png"></head>
<body><div id="ui"></div><script src="/docs/assets/swagger-ui-bundle.js"></script>
<script>{_BEGIN}</script></body></html>
"""
_DIGEST = base64.b64encode(hashlib.sha256(_BEGIN.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; connect-src 'self'; script-src 'self' 'sha256-{_DIGEST}'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


async def get_openapi_yaml(request: web.Request) -> web.Response:
    """Answer the contract as YAML."""
    return web.Response(body=request.app[CONTRACT].yaml, content_type="application/yaml", charset="utf-8")


async def get_openapi_json(request: web.Request) -> web.Response:
    """Answer the contract as JSON."""
    return replies.json_reply(request.app[CONTRACT].json)


async def get_docs(request: web.Request) -> web.Response:  # noqa: ARG001
    """Answer the API page, whose assets are served from here too."""
    return web.Response(text=_PAGE, content_type="text/html", headers={"Content-Security-Policy": _POLICY})


async def get_docs_asset(request: web.Request) -> web.StreamResponse:
    """Answer one asset of the API page."""
    path = _find_asset(request.match_info["asset"])
    if path is None:
        raise NotFoundError("The API page has no such asset.")
    return web.FileResponse(path, headers={"Content-Type": _TYPES[path.suffix], "Cache-Control": "max-age=86400"})


def _find_asset(name: str) -> Path | None:
    """Pick from those there are: a name from outside never becomes a path."""
    return next((path for path in _ASSETS.iterdir() if path.name == name and path.suffix in _TYPES), None)


async def get_problem(request: web.Request) -> web.Response:
    """Explain a problem type: what it means and which status it has."""
    code = request.match_info["code"]
    classes = [each for each in error_classes() if each.code == code]
    if not classes and code not in _FRAMEWORK:
        raise NotFoundError("There is no such problem type; the `type` of a problem names its page.")
    title, told = _FRAMEWORK[code] if code in _FRAMEWORK else (classes[0].title, [_explain(each) for each in classes])
    rows = "".join(f"<p>{escape(each)}</p>" for each in told)
    head = f"<meta charset=utf-8><title>{code}</title><h1>{escape(title)}</h1>"
    return web.Response(text=f"<!doctype html><html lang=en>{head}{rows}", content_type="text/html")


def _explain(error: type[ServiceError]) -> str:
    return f"{problems.status_of(error)}: {inspect.cleandoc(error.__doc__ or '')}"


def error_classes(root: type[ServiceError] = ServiceError) -> Iterator[type[ServiceError]]:
    """Yield the whole tree of errors."""
    yield root
    for each in root.__subclasses__():
        yield from error_classes(each)


def _get(path: str, handler: object, summary: str, *content: Content, **more: object) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,  # type: ignore[arg-type]
        summary=summary,
        tag="service",
        access=None,
        answers=(Answer(status=200, description="The document", content=content),),
        **more,  # type: ignore[arg-type]
    )


ROUTES = (
    _get(
        "/openapi.yaml",
        get_openapi_yaml,
        "The contract as YAML",
        Content(schema={"description": "the document; to most clients, its text"}, media_type="application/yaml"),
    ),
    _get("/openapi.json", get_openapi_json, "The contract as JSON", Content(schema={"type": "object"})),
    _get("/docs", get_docs, "The API page", Content(schema=_HTML, media_type="text/html")),
    _get(
        "/docs/assets/{asset}",
        get_docs_asset,
        "An asset of the API page",
        *(Content(schema={"type": "string", "format": "binary"}, media_type=each) for each in _TYPES.values()),
        params=(Param(name="asset", where="path", description="name of the file"),),
        errors=(errors.NotFoundError,),
    ),
    _get(
        "/problems/{code}",
        get_problem,
        "What a problem type means",
        Content(schema=_HTML, media_type="text/html"),
        params=(Param(name="code", where="path", description="`code` of a problem", example="invalid-json"),),
        errors=(errors.NotFoundError,),
    ),
)
