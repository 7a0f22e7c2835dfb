"""One route: what is served where, by whom it may be called, and how `openapi.yaml` describes it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from aiohttp import web

from service.api.replies import JSON
from service.errors import ServiceError
from service.model import Role

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Schema = Any
"""A type that msgspec can describe, or a JSON Schema as a dict."""


@dataclass(frozen=True, kw_only=True)
class Param:
    """A parameter of the path, the query or the headers; also a header of an answer."""

    name: str
    description: str
    where: Literal["path", "query", "header"] = "query"
    schema: Schema = str
    required: bool = False
    example: Any = None


@dataclass(frozen=True, kw_only=True)
class Content:
    """A body in one media type, with named examples. `encoding` says which media types form parts may have."""

    schema: Schema
    media_type: str = JSON
    examples: dict[str, Any] = field(default_factory=dict)
    encoding: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer that is not a problem."""

    status: int
    description: str
    content: tuple[Content, ...] = ()
    headers: tuple[Param, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Route:
    """A row of the route table. `name` is the operation id; it is the handler's name unless two routes share one.

    `access` is the role a caller needs, None where anybody may call. Where `takes_any_query`, parameters of the
    query that are not among `params` are let through.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    path: str
    handler: Handler
    summary: str
    tag: str
    answers: tuple[Answer, ...]
    name: str = ""
    description: str = ""
    access: Role | None = "reader"
    params: tuple[Param, ...] = ()
    body: tuple[Content, ...] = ()
    body_required: bool = True
    takes_any_query: bool = False
    errors: tuple[type[ServiceError], ...] = ()

    @cached_property
    def offers(self) -> tuple[str, ...]:
        """The media types that answers may have which are not problems."""
        return tuple(dict.fromkeys(content.media_type for answer in self.answers for content in answer.content))

    @cached_property
    def takes_dry_run(self) -> bool:
        """Whether it can be asked what it would do."""
        return any(param.name == "dryRun" for param in self.params)

    @cached_property
    def query_names(self) -> frozenset[str]:
        """The names of the parameters of the query."""
        return frozenset(param.name for param in self.params if param.where == "query")

    @property
    def operation_id(self) -> str:
        """The name of the route, of the operation in `openapi.yaml` and of the handler."""
        return self.name or self.handler.__name__
