"""Asynchronous calls of the compare family: accepted with 202, asked after, cancelled, and their results."""

from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType
from yarl import URL

from service import errors
from service.api import replies
from service.api.examples import DIFF_HEADER, LOCATION_HEADER
from service.api.flags import Flag, flag, is_set
from service.api.idempotency import KEY_PARAM, key_of
from service.api.resource_examples import DRY_RUN
from service.api.route import Answer, Content, Param, Route
from service.core.work import Work
from service.errors import InvalidRequestError
from service.keys import CALLBACKS, CALLER, CLOCK, JOBS
from service.model import JOB_STAGES, Job, JobFailure, JobStatus, Timestamp
from service.usecases import jobs
from service.usecases.jobs import Wish

Callback = Annotated[str, Meta(description="requested once with GET when the job is over", max_length=2000)]


class AsyncOptions(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """How an asynchronous call is carried out. `{}` is legal."""

    callback: Callback | UnsetType = UNSET
    keep_result: Flag = True
    output: Annotated[Any, Meta(description="refused: a result is read at the URL that the job names")] = UNSET


class Deferrable(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Members of every request of the family by which it becomes asynchronous; `callback` goes with a form."""

    async_: AsyncOptions | bool | Literal["true", "false"] | UnsetType = msgspec.field(default=UNSET, name="async")
    callback: Callback | UnsetType = UNSET
    keep_result: Flag | UnsetType = UNSET


class JobOutput(msgspec.Struct, frozen=True):
    """Where the result is, as an I/O object."""

    uri: str
    type: Literal["http"] = "http"


class JobState(msgspec.Struct, frozen=True, rename="camel"):
    """The state of an asynchronous call."""

    job_id: str
    job_status: JobStatus
    creation_time: Timestamp
    start_time: Timestamp | None
    finish_time: Timestamp | None
    number_of_stages: int
    progress_in_percentage: int
    output: JobOutput | UnsetType = UNSET
    error: JobFailure | UnsetType = UNSET


def wish_of(asked: Deferrable) -> Wish | None:
    """Read how the call is to be carried out; None where it is to be answered at once. Raises `InvalidRequestError`."""
    if asked.async_ is UNSET or asked.async_ in (False, "false"):
        if asked.callback is not UNSET or asked.keep_result is not UNSET:
            raise InvalidRequestError("'callback' and 'keepResult' go with 'async'.", field="async")
        return None
    options = asked.async_ if isinstance(asked.async_, AsyncOptions) else AsyncOptions()
    if options.output is not UNSET:
        raise InvalidRequestError(
            "Results are not written to files: leave 'output' out, and read the result at the URL that the job names.",
            field="async.output",
        )
    callback = asked.callback if options.callback is UNSET else options.callback
    keeps = is_set(options.keep_result) if asked.keep_result is UNSET else is_set(asked.keep_result)
    return Wish(callback=callback if isinstance(callback, str) else None, keep_result=keeps)


async def accept(request: web.Request, work: Work, texts: dict[str, bytes], wish: Wish) -> web.Response:
    """Keep the call as a job and answer 202 with where to ask after it; for a dry run, answer what it would be."""
    app, is_dry = request.app, flag(request, "dryRun")
    job = await jobs.create(
        work,
        texts,
        msgspec.structs.replace(wish, key=key_of(request), dry_run=is_dry),
        caller=request[CALLER],
        clock=app[CLOCK],
        callbacks=app[CALLBACKS],
        store=app[JOBS],
    )
    headers = {} if is_dry else {"Location": _path(request, job)}
    return replies.json_reply(_to_state(request, job), status=202, headers=headers)


async def get_job(request: web.Request) -> web.Response:
    """Answer the state of a job."""
    job = await jobs.find(request.match_info["job_id"], caller=request[CALLER], store=request.app[JOBS])
    return replies.json_reply(_to_state(request, job), headers={"Cache-Control": "no-store"})


async def cancel_job(request: web.Request) -> web.Response:
    """Cancel a job and answer its state."""
    job = await jobs.cancel(
        request.match_info["job_id"],
        caller=request[CALLER],
        store=request.app[JOBS],
        clock=request.app[CLOCK],
        dry_run=flag(request, "dryRun"),
    )
    return replies.json_reply(_to_state(request, job))


async def get_job_result(request: web.Request) -> web.Response:
    """Answer the result of a job, as the synchronous call would have answered it."""
    job, result = await jobs.read_result(
        request.match_info["job_id"],
        caller=request[CALLER],
        store=request.app[JOBS],
        only_look=request.method == "HEAD",
    )
    return replies.json_reply(result, headers={"Patchbay-Diff": "bounded" if job.bounded else "exact"})


def _path(request: web.Request, job: Job) -> str:
    version = request.path.split("/")[3]
    return f"/api/json/{version}/jobs/{job.id}"


def _origin(request: web.Request) -> URL:
    """Return where the caller reaches the service; what it says of a proxy's TLS is for its own answer alone."""
    before_proxy, _, _ = request.headers.get("X-Forwarded-Proto", "").partition(",")
    try:
        origin = request.url.origin()
        return origin.with_scheme("https") if before_proxy.strip().lower() == "https" else origin
    except ValueError as error:
        raise InvalidRequestError(
            "The Host header is not that of a URL: send host, or host:port.", field="Host"
        ) from error


def _to_state(request: web.Request, job: Job) -> JobState:
    return JobState(
        job.id,
        job.status,
        job.created_at,
        job.started_at,
        job.finished_at,
        JOB_STAGES,
        100 * job.stage // JOB_STAGES,
        JobOutput(f"{_origin(request)}{_path(request, job)}/result") if job.status == "SUCCESS" else UNSET,
        job.failure or UNSET,
    )


ACCEPTED = Answer(
    status=202,
    description="The call has become a job; ask after it at `Location`",
    content=(Content(schema=JobState),),
    headers=(LOCATION_HEADER,),
)
"""The answer of an asynchronous call."""

KEY = Param(
    name="Idempotency-Key",
    where="header",
    description=(
        "the same key and call are the same job (of an asynchronous call, for a day) or the same record (with "
        "`store=true`); another call is refused. Without either nothing is written, and the key changes nothing."
    ),
    schema=KEY_PARAM.schema,
)

_ID = Param(name="job_id", where="path", required=True, description="from the `Location` of the asynchronous call")
_STATE = (Answer(status=200, description="The state of the job", content=(Content(schema=JobState),)),)
_ERRORS = (errors.NotFoundError, errors.StoreUnavailableError)


def _routes(version: str) -> tuple[Route, ...]:
    path = f"/api/json/{version}/jobs/{{job_id}}"
    return (
        Route(
            method="GET",
            path=path,
            name=f"get_job_{version}",
            handler=get_job,
            summary="Ask after an asynchronous call",
            tag="compare",
            params=(_ID,),
            answers=_STATE,
            errors=_ERRORS,
        ),
        Route(
            method="DELETE",
            path=path,
            name=f"cancel_job_{version}",
            handler=cancel_job,
            summary="Cancel an asynchronous call",
            tag="compare",
            params=(_ID, DRY_RUN),
            answers=_STATE,
            errors=(*_ERRORS, errors.InvalidTransitionError),
        ),
        Route(
            method="GET",
            path=f"{path}/result",
            name=f"get_job_result_{version}",
            handler=get_job_result,
            summary="Read the result of an asynchronous call",
            tag="compare",
            params=(_ID,),
            answers=(
                Answer(
                    status=200,
                    description="What the synchronous call would have answered",
                    content=(Content(schema=Any),),
                    headers=(DIFF_HEADER,),
                ),
            ),
            errors=(*_ERRORS, errors.InvalidTransitionError, errors.GoneError),
        ),
    )


ROUTES = tuple(route for version in ("v1", "v2") for route in _routes(version))
