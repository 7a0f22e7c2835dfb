"""Errors as RFC 9457 problem documents. The only place where an error meets an HTTP status."""

import math
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from service import errors
from service.core.conflict import ShownConflict
from service.core.constraints import Verdict
from service.core.inflate import ENCODINGS
from service.errors import ServiceError, Violation
from service.patches import Application

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[ServiceError], int] = {
    errors.ServiceError: 500,
    errors.RequestError: 400,
    errors.UnsupportedMediaTypeError: 415,
    errors.NotAcceptableError: 406,
    errors.RequestTimeoutError: 408,
    errors.UnauthenticatedError: 401,
    errors.ForbiddenError: 403,
    errors.RateLimitedError: 429,
    errors.TooLargeError: 413,
    errors.ResultTooLargeError: 422,
    errors.TooDeepError: 422,
    errors.TooComplexError: 422,
    errors.OverloadedError: 429,
    errors.NotFoundError: 404,
    errors.GoneError: 410,
    errors.FeedGoneError: 410,
    errors.ConflictError: 409,
    errors.VersionConflictError: 412,
    errors.PreconditionRequiredError: 428,
    errors.UnprocessableError: 422,
    errors.SourceForbiddenError: 403,
    errors.SourceNotFoundError: 422,
    errors.SourceUnreachableError: 502,
    errors.SourceTimeoutError: 504,
    errors.StoreUnavailableError: 503,
}
"""Status by class, looked up along the class's ancestors."""

METHOD_NOT_ALLOWED = "method-not-allowed"
EXPECTATION_FAILED = "expectation-failed"
HTTP_ERROR = "http-error"
FRAMEWORK_CODES = {
    404: errors.NotFoundError.code,
    405: METHOD_NOT_ALLOWED,
    413: errors.TooLargeError.code,
    417: EXPECTATION_FAILED,
}


MOST_VIOLATIONS = 1000
_LONGEST_TEXT = 2000
_POINTERS = ("pointer", "path")
_TEXTS = ("detail", "field", "part", "input", *_POINTERS)


class Problem(msgspec.Struct, kw_only=True, rename="camel"):
    """A refusal or failure (RFC 9457). `code` is stable; `errors` lists all violations at once."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[Violation] = []
    application: Annotated[Application, Meta(description="with `application-failed`: what failed")] | UnsetType = UNSET
    verdicts: (
        Annotated[list[Verdict], Meta(description="with `incompatible-target`: on each constraint")] | UnsetType
    ) = UNSET
    conflicts: (
        Annotated[list[ShownConflict], Meta(description="with `version-conflict`, where a merge was asked for")]
        | UnsetType
    ) = UNSET


def status_of(error: type[ServiceError]) -> int:
    """Return the status of an error class: its own entry, or that of the nearest ancestor that has one."""
    return next(STATUS[ancestor] for ancestor in error.__mro__ if ancestor in STATUS)


def answer(error: ServiceError, request: web.Request, request_id: str) -> web.Response:
    """Answer a `ServiceError` with its problem document and the headers that belong to it."""
    status = status_of(type(error))
    problem = Problem(
        type=f"/problems/{error.code}",
        title=error.title,
        status=status,
        detail=_shorten(error.detail),
        instance=request.rel_url.raw_path,
        code=error.code,
        request_id=request_id,
        errors=[_bounded(each) for each in error.violations[:MOST_VIOLATIONS]],
        **error.extensions,
    )
    return _respond(problem, _headers(error, request, status))


def _bounded(violation: Violation) -> Violation:
    """Keep what a request sends from coming back at any length; half a pointer would be another one."""
    texts = {name: getattr(violation, name) for name in _TEXTS}
    long = {name: text for name, text in texts.items() if isinstance(text, str) and len(text) > _LONGEST_TEXT}
    if not long:
        return violation
    return msgspec.structs.replace(
        violation, **{name: UNSET if name in _POINTERS else _shorten(text) for name, text in long.items()}
    )


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


def answer_framework(error: web.HTTPException, request: web.Request, request_id: str) -> web.Response:
    """Answer what aiohttp itself refuses (no such route, method not allowed), keeping its headers."""
    code = FRAMEWORK_CODES.get(error.status, HTTP_ERROR)
    problem = Problem(
        type=f"/problems/{code}",
        title=HTTPStatus(error.status).phrase,
        status=error.status,
        detail=_framework_detail(error, request),
        instance=request.rel_url.raw_path,
        code=code,
        request_id=request_id,
    )
    kept = {name: error.headers[name] for name in ("Allow", "Retry-After") if name in error.headers}
    return _respond(problem, kept)


def answer_unexpected(request: web.Request, request_id: str) -> web.Response:
    """Answer a failure nobody foresaw with nothing but the request id, under which the log has the rest."""
    problem = Problem(
        type="/problems/internal-error",
        title="Internal error",
        status=500,
        detail="Something went wrong inside the service. The log has more under the request id.",
        instance=request.rel_url.raw_path,
        code="internal-error",
        request_id=request_id,
    )
    return _respond(problem, {})


def _respond(problem: Problem, headers: dict[str, str]) -> web.Response:
    try:
        body = msgspec.json.encode(problem)
    except UnicodeEncodeError:  # the request's headers were not UTF-8, and the problem quotes one
        body = msgspec.json.encode(_readable(msgspec.to_builtins(problem)))
    return web.Response(body=body, status=problem.status, headers=headers, content_type=MEDIA_TYPE)


def _readable(value: Any) -> Any:
    """Replace the lone surrogates that stand for bytes that are not UTF-8."""
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {_readable(name): _readable(each) for name, each in value.items()}
        case list():
            return [_readable(each) for each in value]
        case _:
            return value


def _framework_detail(error: web.HTTPException, request: web.Request) -> str:
    match error.status:
        case 404:
            return f"There is no route {request.path}. /docs lists those there are."
        case 405:
            return f"{request.method} is not possible here; these methods are: {error.headers.get('Allow', '')}."
        case _:
            return error.reason


def _headers(error: ServiceError, request: web.Request, status: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    match error:
        case errors.UnsupportedMediaTypeError(accepted=accepted) if accepted:
            name = "Accept-Patch" if request.method == "PATCH" else "Accept-Post"
            headers[name] = ", ".join(accepted)
        case errors.VersionConflictError(current=int(current)):
            headers["ETag"] = f'"{current}"'
        case _:
            pass
    if error.violations[0].field == "Content-Encoding" and status == 415:
        headers["Accept-Encoding"] = ", ".join(ENCODINGS)  # RFC 9110, section 15.5.16
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))  # who comes at that time must be let in
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in (408, 413):
        headers["Connection"] = "close"
    return headers
