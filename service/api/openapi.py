"""`openapi.yaml` (3.1), made of the route table and the wire Structs, so that nothing is written twice."""

import re
from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec

from service import __version__
from service.api import problems
from service.api.headers import REQUEST_ID_HEADER, headers_of, problem_headers_of
from service.api.links import links_of
from service.api.naming import Names
from service.api.route import Answer, Content, Param, Route
from service.errors import InvalidRequestError, NotAcceptableError, ServiceError

REF_TEMPLATE = "#/components/schemas/{name}"
TAGS = {
    "compare": "Two documents in, what changed out",
    "resources": "Documents kept in MongoDB with every change",
    "types": "What resources of a type may look like",
    "patches": "Changes recorded once, applied wherever they fit",
    "providers": "Who carries patches out, and how delivery went",
    "events": "What happened, in order",
    "service": "Health, metrics and documentation",
}

Document = dict[str, Any]


def build(routes: Iterable[Route], shared: dict[str, Any], named: dict[str, Any], *, secured: bool = True) -> Document:
    """Make the document.

    `shared` are schemas that are referred to by name and have no Struct of their own; `named` are shapes that are
    referred to by name wherever they stand.
    """
    table = tuple(routes)
    structs = _struct_types(table)
    _, components = msgspec.json.schema_components([problems.Problem, *structs], ref_template=REF_TEMPLATE)
    paths: dict[str, Document] = defaultdict(dict)
    for route in table:
        paths[_path(route.path)][route.method.lower()] = _operation(route, table, secured=secured)
    names = Names(named, REF_TEMPLATE)
    schemas = {name: names.refer_inside(schema) for name, schema in {**components, **shared}.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Patchbay",
            "version": __version__,
            "summary": "What changed between two JSON documents, and where may that change go?",
            "description": "Every refusal is an RFC 9457 problem document whose `errors` list all violations at once.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "http://127.0.0.1:8080", "description": "`make run`"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": names.refer(dict(paths)),
        "components": {
            "schemas": dict(sorted({**schemas, **names.components}.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "an API key or a JWT"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _struct_types(routes: tuple[Route, ...]) -> list[Any]:
    """List every type, once, that bodies and answers are described by."""
    contents = [content for route in routes for content in route.body]
    contents += [content for route in routes for answer in route.answers for content in answer.content]
    types = [content.schema for content in contents if not isinstance(content.schema, dict)]
    return [each for index, each in enumerate(types) if each not in types[:index]]


def _path(path: str) -> str:
    """Leave out the patterns that aiohttp allows inside braces."""
    return re.sub(r"\{(\w+):[^{}]*(?:\{[^{}]*\}[^{}]*)*\}", r"{\1}", path)


def _operation(route: Route, table: tuple[Route, ...], *, secured: bool) -> Document:
    operation: Document = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "tags": [route.tag],
    }
    needs = f"Needs the role `{route.access}`." if secured and route.access else ""
    if described := "\n\n".join(filter(None, (route.description, needs))):
        operation["description"] = described
    if route.params:
        operation["parameters"] = [_parameter(param) for param in route.params]
    if route.body:
        operation["requestBody"] = {"required": route.body_required, "content": _contents(route.body)}
    common = headers_of(route)
    operation["responses"] = {
        str(answer.status): _answer(answer, common, links_of(route, answer.status, table)) for answer in route.answers
    } | _refusals(route)
    if secured:
        operation["security"] = [{"bearer": []}, {"apiKey": []}, {}] if route.access else []
    return operation


def _parameter(param: Param) -> Document:
    described: Document = {
        "name": param.name,
        "in": param.where,
        "description": param.description,
        "required": param.required or param.where == "path",
        "schema": _schema(param.schema),
    }
    if param.example is not None:
        described["example"] = param.example
    return described


def _contents(contents: Iterable[Content]) -> Document:
    return {content.media_type: _content(content) for content in contents}


def _content(content: Content) -> Document:
    described: Document = {"schema": _schema(content.schema)}
    if content.examples:
        described["examples"] = {name: {"value": value} for name, value in content.examples.items()}
    if content.encoding:
        described["encoding"] = {name: {"contentType": types} for name, types in content.encoding.items()}
    return described


def _schema(schema: Any) -> Any:
    if isinstance(schema, dict):
        return schema
    (described,), _ = msgspec.json.schema_components([schema], ref_template=REF_TEMPLATE)
    return described


def _answer(answer: Answer, common: Iterable[Param], links: Document) -> Document:
    described: Document = {"description": answer.description}
    described["headers"] = {header.name: _header(header) for header in (*common, *answer.headers)}
    if answer.content:
        described["content"] = _contents(answer.content)
    if links:
        described["links"] = links
    return described


def _header(param: Param) -> Document:
    return {"description": param.description, "schema": _schema(param.schema)}


def _refusals(route: Route) -> Document:
    """Describe the problems of a route, by status, with the codes each may have; `default` stands for the rest."""
    codes: dict[int, list[type[ServiceError]]] = defaultdict(list)
    common: list[type[ServiceError]] = []
    if route.access and route.offers:
        common.append(NotAcceptableError)
    if route.access and not route.takes_any_query:
        common.append(InvalidRequestError)
    for error in dict.fromkeys((*route.errors, *common)):
        codes[problems.status_of(error)].append(error)
    described = {
        str(status): _problem(
            ", ".join(f"{each.title} (`{each.code}`)" for each in classes),
            status,
            may_help_to_wait=any(each.retry_after_s is not None for each in classes),
            headers=problem_headers_of(route, status),
        )
        for status, classes in sorted(codes.items())
    }
    return {**described, "default": _problem("Any other refusal or failure", None)}


def _problem(
    description: str, status: int | None, *, may_help_to_wait: bool = False, headers: Iterable[Param] = ()
) -> Document:
    content: Document = {"schema": {"$ref": REF_TEMPLATE.format(name="Problem")}}
    described = {header.name: _header(header) for header in (REQUEST_ID_HEADER, *headers)}
    if may_help_to_wait:
        described["Retry-After"] = _header(Param(name="Retry-After", description="seconds", schema=int))
    return {
        "description": description or HTTPStatus(status or 500).phrase,
        "headers": described,
        "content": {problems.MEDIA_TYPE: content},
    }
