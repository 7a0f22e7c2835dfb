"""Asynchronous calls."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from service.model.moment import Timestamp

JobStatus = Literal["QUEUED", "STARTED", "SUCCESS", "FAILED", "CANCELLED"]


class JobFailure(msgspec.Struct, frozen=True, rename="camel"):
    """Why a job failed, in the members of the problem document that the synchronous call would have answered."""

    code: str
    title: str
    detail: str
    errors: Annotated[
        msgspec.Raw,
        Meta(extra_json_schema={"type": "array", "items": {"$ref": "#/components/schemas/Violation"}}),
    ]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An asynchronous call. `work` is that of `core.work`; its inputs and its result are kept apart from it.

    `stage` counts the stages that are over, of `JOB_STAGES`; `attempt` how often an instance has started it;
    `fingerprint` stands for the work and its inputs.
    """

    id: str
    status: JobStatus
    work: bytes
    fingerprint: str
    inputs: tuple[str, ...]
    created_by: str
    created_at: Timestamp
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    stage: int = 0
    attempt: int = 0
    keep_result: bool = True
    callback: str | None = None
    bounded: bool = False
    result: str | None = None
    failure: JobFailure | None = None


class Owed(msgspec.Struct, frozen=True):
    """A callback that is to be made: of which job, the URL to ask for, and the server that is in it."""

    job_id: str
    url: str
    server: str


JOB_STAGES = 3
"""Obtaining the inputs, the work itself, keeping the result."""
